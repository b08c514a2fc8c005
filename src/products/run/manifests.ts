import { fromJson, toJson, type JsonValue } from '@bufbuild/protobuf'
import { JobSchema } from '../../api/gen/google/cloud/run/v2/job_pb.ts'
import { ServiceSchema } from '../../api/gen/google/cloud/run/v2/service_pb.ts'
import { fillJob } from './jobs/fill-job.ts'
import { isReservedKey } from './reserved-keys.ts'
import { toStored } from './services/service-fields.ts'
import { unactedFields } from './unacted-fields.ts'
import { fromV1Job } from './wire/v1-job.ts'
import { jobSchema, readV1, serviceSchema, type Json } from './wire/v1-schema.ts'
import { fromV1Service } from './wire/v1-service.ts'

const notBuilt = 'image'
const parent = 'projects/project/locations/us-central1'

/**
 * A document of service.yaml or job.yaml as version 2's JSON; its image may be one that is not built yet.
 * @throws CloudError INVALID_ARGUMENT, UNIMPLEMENTED as version 1 of the API refuses it
 */
export function readManifest(kind: 'service' | 'job', id: string, document: unknown): Json {
  const name = `${parent}/${kind}s/${id}`
  if (kind === 'service') {
    const service = fromV1Service(readV1(serviceSchema, document), name)
    for (const container of service.template?.containers ?? []) container.image ||= notBuilt
    return withoutReserved(toJson(ServiceSchema, service)) as Json
  }
  const job = fromV1Job(readV1(jobSchema, document), name)
  for (const container of job.template?.template?.containers ?? []) container.image ||= notBuilt
  return withoutReserved(toJson(JobSchema, job)) as Json
}

/**
 * What the API would say of version 2's JSON of a service or a job, whose image need not be there yet.
 * @returns what it would store and not act upon, as `unactedFields` names it
 * @throws CloudError INVALID_ARGUMENT, UNIMPLEMENTED as the API refuses it
 */
export function judge(kind: 'service' | 'job', id: string, body: Json): readonly string[] {
  const name = `${parent}/${kind}s/${id}`
  if (kind === 'job') {
    const job = fillJob(fromJson(JobSchema, body as JsonValue), name)
    return unactedFields({ ...job, template: job.template?.template })
  }
  const sent = fromJson(ServiceSchema, body as JsonValue)
  return unactedFields(toStored(sent, name, undefined, { id: 'project', number: '1', region: 'us-central1' }, '', new Date(0)))
}

/** Version 2 takes no labels and annotations of its own domains: they are its fields, or tell which tool wrote the file. */
function withoutReserved(value: JsonValue): JsonValue {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const entries = Object.entries(value).map(([key, part]) => {
    if ((key !== 'labels' && key !== 'annotations') || typeof part !== 'object' || part === null)
      return [key, withoutReserved(part)] as const
    return [key, Object.fromEntries(Object.entries(part).filter(([name]) => !isReservedKey(name)))] as const
  })
  return Object.fromEntries(entries)
}
