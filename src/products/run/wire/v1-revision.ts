import type { Revision } from '../../../api/gen/google/cloud/run/v2/revision_pb.ts'
import type { Service } from '../../../api/gen/google/cloud/run/v2/service_pb.ts'
import { templateOf } from '../services/revisions.ts'
import { poolTemplateOf } from '../worker-pools/pool-revisions.ts'
import { run, serving, type Annotations } from './v1-annotations.ts'
import { toCondition, toResource, type V1Kind, type V1Place } from './v1-metadata.ts'
import { toV1Template } from './v1-revision-template.ts'
import { present, type Json } from './v1-schema.ts'
import { observedGeneration, toV1Service } from './v1-service.ts'
import { toPoolTemplate } from './v1-worker-pool.ts'

/** The labels by which clients find the revisions of a service or a worker pool, and tell them apart. */
export function revisionLabels(revision: Revision): Annotations {
  const { service, labels, generation } = revision
  const pool = poolOf(revision)
  if (pool !== undefined) return { ...labels, [`${run}workerPool`]: pool }
  return {
    ...labels,
    [`${serving}configuration`]: service,
    [`${serving}configurationGeneration`]: String(generation),
    [`${serving}service`]: service,
  }
}

/** Of a service, or of a worker pool. */
export function toV1Revision(revision: Revision, place: V1Place): Json {
  const pool = poolOf(revision)
  const { metadata, spec } = pool === undefined ? toV1Template(templateOf(revision)) : toPoolTemplate(poolTemplateOf(revision))
  return toResource('Revision', place, revision, {
    labels: revisionLabels(revision),
    annotations: { ...(metadata['annotations'] as Annotations | undefined), ...present({ [`${serving}creator`]: revision.creator }) },
    owner: pool === undefined ? { kind: 'Configuration', name: revision.service } : { kind: 'WorkerPool', name: pool },
    spec,
    status: { observedGeneration: Number(revision.observedGeneration), conditions: revision.conditions.map(toCondition) },
  })
}

/** What Knative makes of a Service for its revisions. */
export function toV1Configuration(service: Service, place: V1Place): Json {
  return partOf(service, place, 'Configuration', 'ConfigurationsReady', (spec, status) => ({
    spec: { template: spec['template'] },
    status: {
      latestReadyRevisionName: status['latestReadyRevisionName'],
      latestCreatedRevisionName: status['latestCreatedRevisionName'],
    },
  }))
}

/** What Knative makes of a Service for its traffic. */
export function toV1Route(service: Service, place: V1Place): Json {
  return partOf(service, place, 'Route', 'RoutesReady', (spec, status) => ({
    spec: { traffic: spec['traffic'] },
    status: { traffic: status['traffic'], url: status['url'], address: status['address'] },
  }))
}

function partOf(
  service: Service,
  place: V1Place,
  kind: V1Kind,
  condition: string,
  take: (spec: Json, status: Json) => { readonly spec: Json; readonly status: Json },
): Json {
  const whole = toV1Service(service, place) as { metadata: { annotations: Annotations }; spec: Json; status: Json }
  const { spec, status } = take(whole.spec, whole.status)
  const ready = service.conditions.find(({ type }) => type === condition) ?? service.terminalCondition
  const conditions = ready === undefined ? [] : [toCondition({ ...ready, type: 'Ready' })]
  return toResource(kind, place, service, {
    annotations: whole.metadata.annotations,
    spec,
    status: { observedGeneration: Number(observedGeneration(service)), conditions, ...present(status) },
  })
}

function poolOf({ name }: Revision): string | undefined {
  return /\/workerPools\/([^/]+)\//.exec(name)?.[1]
}
