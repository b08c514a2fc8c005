import { fromJson, type JsonValue } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import { JobSchema } from '../../../src/api/gen/google/cloud/run/v2/job_pb.ts'
import { ServiceSchema } from '../../../src/api/gen/google/cloud/run/v2/service_pb.ts'
import { WorkerPoolSchema } from '../../../src/api/gen/google/cloud/run/v2/worker_pool_pb.ts'
import { CloudError } from '../../../src/base/cloud-error.ts'
import { fillJob } from '../../../src/products/run/jobs/fill-job.ts'
import { toStored } from '../../../src/products/run/services/service-fields.ts'
import { unactedFields } from '../../../src/products/run/unacted-fields.ts'
import { fromV1Job } from '../../../src/products/run/wire/v1-job.ts'
import { jobSchema, readV1, serviceSchema, workerPoolSchema } from '../../../src/products/run/wire/v1-schema.ts'
import { fromV1Service } from '../../../src/products/run/wire/v1-service.ts'
import { fromV1WorkerPool } from '../../../src/products/run/wire/v1-worker-pool.ts'
import { fillPool } from '../../../src/products/run/worker-pools/fill-pool.ts'

type Json = Readonly<Record<string, unknown>>

const parent = 'projects/demo-project/locations/us-central1'
const names = { service: `${parent}/services/web`, job: `${parent}/jobs/task`, pool: `${parent}/workerPools/pool` }
const project = { id: 'demo-project', number: '123456789012' } as never
const image = 'us-docker.pkg.dev/p/r/hello:1'

/** The three kinds, as version 2 takes them. `container`, `template` and `resource` are more of each. */
const kinds: Readonly<Record<string, (container: Json, template: Json, resource: Json) => unknown>> = {
  service(container, template, resource) {
    const sent = fromJson(ServiceSchema, { ...resource, template: { ...template, containers: [{ image, ...container }] } } as JsonValue)
    return toStored(sent, names.service, undefined, project, 'me', new Date(0))
  },
  job(container, template, resource) {
    const task = { ...template, containers: [{ image, ...container }] }
    return fillJob(fromJson(JobSchema, { ...resource, template: { template: task } } as JsonValue), names.job)
  },
  'worker pool'(container, template, resource) {
    const sent = { ...resource, template: { ...template, containers: [{ image, ...container }] } }
    return fillPool(fromJson(WorkerPoolSchema, sent as JsonValue), names.pool)
  },
}

function refusalOf(work: () => unknown): { readonly code: string; readonly message: string } | undefined {
  try {
    work()
    return undefined
  } catch (error) {
    if (error instanceof CloudError) return error
    throw error
  }
}

const gpu = { resources: { limits: { cpu: '4', memory: '16Gi', 'nvidia.com/gpu': '1' } } }
const refused: readonly (readonly [what: string, code: string, words: string, container: Json, template?: Json, resource?: Json])[] = [
  ['a GPU', 'UNIMPLEMENTED', 'GPUs', gpu],
  ['an accelerator', 'UNIMPLEMENTED', 'GPUs', {}, { nodeSelector: { accelerator: 'nvidia-l4' } }],
  ['GPUs without redundancy', 'UNIMPLEMENTED', 'GPUs', {}, { gpuZonalRedundancyDisabled: true }],
  ['source', 'UNIMPLEMENTED', 'from source', { baseImageUri: 'x' }],
  ['another limit', 'INVALID_ARGUMENT', '"disk" is not supported', { resources: { limits: { disk: '1Gi' } } }],
  ['three CPUs', 'INVALID_ARGUMENT', 'Invalid value specified for cpu', { resources: { limits: { cpu: '3' } } }],
  ['too little memory for its CPUs', 'INVALID_ARGUMENT', 'between 4Gi and 32Gi', { resources: { limits: { cpu: '8', memory: '512Mi' } } }],
  ['an amount that is none', 'INVALID_ARGUMENT', 'is not an amount', { resources: { limits: { memory: 'lots' } } }],
  ['a variable without a name', 'INVALID_ARGUMENT', 'env[0].name', { env: [{ name: '', value: 'x' }] }],
  ['a variable with an equals sign', 'INVALID_ARGUMENT', 'env[0].name', { env: [{ name: 'A=B', value: 'x' }] }],
  ['a variable that is too long', 'INVALID_ARGUMENT', 'at most 32768 bytes', { env: [{ name: 'A', value: 'x'.repeat(40_000) }] }],
  ['a NUL in a command', 'INVALID_ARGUMENT', 'NUL', { command: ['a\0b'] }],
  ['a secret that is none', 'INVALID_ARGUMENT', 'no secret', { env: [{ name: 'A', valueSource: { secretKeyRef: { secret: '$(touch x)' } } }] }],
  ['a version that is none', 'INVALID_ARGUMENT', 'no version', { env: [{ name: 'A', valueSource: { secretKeyRef: { secret: 's', version: 'a b' } } }] }],
  ['a relative folder', 'INVALID_ARGUMENT', 'absolute path', { workingDir: 'app' }],
  ['a volume that has no name', 'INVALID_ARGUMENT', 'volumes[0].name', {}, { volumes: [{ name: 'Big Volume', emptyDir: {} }] }],
  ['a label that is none', 'INVALID_ARGUMENT', 'label key [Upper]', {}, {}, { labels: { Upper: 'x' } }],
  ['a label of the value', 'INVALID_ARGUMENT', 'value [A B]', {}, {}, { labels: { a: 'A B' } }],
  ['an annotation that is none', 'INVALID_ARGUMENT', 'no qualified name', {}, {}, { annotations: { 'a b': 'x' } }],
] // prettier-ignore

test.each(refused.map((one) => [one[0], one] as const))('%s is refused for services, jobs and worker pools alike', (_name, one) => {
  const [what, code, words, container, template = {}, resource = {}] = one
  for (const [kind, fill] of Object.entries(kinds)) {
    expect(
      refusalOf(() => fill({}, {}, {})),
      kind,
    ).toBeUndefined()
    const refusal = refusalOf(() => fill(container, template, resource))
    expect(refusal, `${kind}: ${what}`).toMatchObject({ code, message: expect.stringContaining(words) })
  }
})

const ofServices: readonly (readonly [what: string, code: string, words: string, container: Json, template?: Json, resource?: Json])[] = [
  ['IAP', 'UNIMPLEMENTED', 'Identity-Aware Proxy', {}, {}, { iapEnabled: true }],
  ['a mesh', 'UNIMPLEMENTED', 'Service Mesh', {}, { serviceMesh: { mesh: 'm' } }],
  ['several regions', 'UNIMPLEMENTED', 'several regions', {}, {}, { multiRegionSettings: { regions: ['us-east1'] } }],
  ['a port of another kind', 'INVALID_ARGUMENT', '"grpc" is not supported', { ports: [{ name: 'grpc', containerPort: 80 }] }],
  ['a port that is too high', 'INVALID_ARGUMENT', 'between 1 and 65535', { ports: [{ containerPort: 70_000 }] }],
  ['a concurrency that is too high', 'INVALID_ARGUMENT', 'from 0 to 1000', {}, { maxInstanceRequestConcurrency: 1001 }],
  ['concurrency below one CPU', 'INVALID_ARGUMENT', 'concurrency > 1', { resources: { limits: { cpu: '0.5' } } }, { maxInstanceRequestConcurrency: 2 }],
  ['a part of a CPU that is always on', 'INVALID_ARGUMENT', 'always allocated', { resources: { cpuIdle: false, limits: { cpu: '0.5' } } }],
  ['a part of a CPU in gen2', 'INVALID_ARGUMENT', 'second generation', { resources: { cpuIdle: true, limits: { cpu: '0.5' } } }, { executionEnvironment: 'EXECUTION_ENVIRONMENT_GEN2' }],
  ['little memory in gen2', 'INVALID_ARGUMENT', 'at least 512Mi', { resources: { cpuIdle: true, limits: { memory: '256Mi' } } }, { executionEnvironment: 'EXECUTION_ENVIRONMENT_GEN2' }],
  ['a timeout of two hours', 'INVALID_ARGUMENT', 'from 1 to 3600', {}, { timeout: '7200s' }],
  ['a minimum above the maximum', 'INVALID_ARGUMENT', 'must not be greater', {}, { scaling: { minInstanceCount: 3, maxInstanceCount: 2 } }],
] // prettier-ignore

test.each(ofServices.map((one) => [one[0], one] as const))('%s is refused for services', (_name, one) => {
  const [, code, words, container, template = {}, resource = {}] = one
  expect(refusalOf(() => kinds['service']?.(container, template, resource))).toMatchObject({
    code,
    message: expect.stringContaining(words),
  })
})

test('what is stored without effect is named, and nothing else is', () => {
  const service = fromJson(ServiceSchema, {
    binaryAuthorization: { useDefault: true },
    template: {
      vpcAccess: { connector: 'c' },
      encryptionKey: 'projects/p/locations/l/keyRings/r/cryptoKeys/k',
      encryptionKeyRevocationAction: 'PREVENT_NEW',
    },
  })
  expect(unactedFields(service).map((words) => words.split(/[ (:]/)[0])).toEqual(['VPC', 'the', 'what', 'binary'])
  expect(unactedFields(fromJson(ServiceSchema, { template: { containers: [{ image }] }, ingress: 'INGRESS_TRAFFIC_ALL' }))).toEqual([])
})

const run = (word: string) => `run.googleapis.com/${word}`
const v1 = (annotations: Json, template: Json, spec: Json, container: Json = {}) => ({
  service: { metadata: { annotations }, spec: { template: { metadata: { annotations: template }, spec: { containers: [{ image, ...container }], ...spec } } } },
  job: { metadata: { annotations }, spec: { template: { metadata: { annotations: template }, spec: { template: { spec: { containers: [{ image, ...container }], ...spec } } } } } },
}) // prettier-ignore
const readers = {
  service: (body: unknown) => fromV1Service(readV1(serviceSchema, body), names.service),
  job: (body: unknown) => fromV1Job(readV1(jobSchema, body), names.job),
  pool: (body: unknown) => fromV1WorkerPool(readV1(workerPoolSchema, body), names.pool),
}

test.each([
  ['an annotation of Cloud Run that is not read', v1({ [run('no-such')]: 'x' }, {}, {}), `the annotation '${run('no-such')}'`],
  ['one of the template', v1({}, { [run('no-such')]: 'x' }, {}), `the annotation '${run('no-such')}'`],
  ["one of Knative's", v1({}, { 'autoscaling.knative.dev/target': '5' }, {}), 'autoscaling.knative.dev/target'],
  ['a launch stage that is none', v1({ [run('launch-stage')]: 'SOON' }, {}, {}), '"SOON" is not one of'],
  ['an environment that is none', v1({}, { [run('execution-environment')]: 'gen3' }, {}), '"gen3" is not one of: gen1, gen2'],
  ['an egress that is none', v1({}, { [run('vpc-access-egress')]: 'some' }, {}), '"some" is not one of'],
  ['a flag that is none', v1({}, { [run('cpu-throttling')]: 'yes' }, {}), '"yes" must be true or false'],
  ['a field that Cloud Run does not have', v1({}, {}, { runtimeClassName: 'x' }), 'Unknown name "runtimeClassName"'],
  ['a field of a container', v1({}, {}, {}, { lifecycle: {} }), 'Unknown name "lifecycle"'],
  ['variables of a map', v1({}, {}, {}, { envFrom: [] }), 'Unknown name "envFrom"'],
  ['a probe by TLS', v1({}, {}, {}, { startupProbe: { httpGet: { scheme: 'HTTPS' } } }), 'must be HTTP'],
])('version 1: %s is refused, not ignored', (_what, { service, job }, words) => {
  expect(refusalOf(() => readers.service(service))?.message).toContain(words)
  expect(refusalOf(() => readers.pool(service))?.message).toContain(words)
  expect(refusalOf(() => readers.job(job))?.message).toContain(words)
})

test('version 1: switches are read as gcloud writes them', () => {
  const told = readers.service(
    v1({}, { [run('startup-cpu-boost')]: 'True', [run('cpu-throttling')]: 'False' }, {}, { resources: { requests: {} } }).service,
  )
  expect(told.template?.containers[0]?.resources).toMatchObject({ startupCpuBoost: true, cpuIdle: false })
})

test('version 1: a switch of a service that is neither true nor false is refused, and IAP is refused by name', () => {
  for (const word of ['invoker-iam-disabled', 'default-url-disabled', 'iap-enabled'])
    expect(refusalOf(() => readers.service(v1({ [run(word)]: 'maybe' }, {}, {}).service))?.message).toContain('must be true or false')
  const iap = readers.service(v1({ [run('iap-enabled')]: 'true' }, {}, {}).service)
  expect(refusalOf(() => toStored(iap, names.service, undefined, project, 'me', new Date(0)))).toMatchObject({ code: 'UNIMPLEMENTED' })
})
