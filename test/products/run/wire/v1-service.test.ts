import { create, fromJson, toJson, type JsonValue } from '@bufbuild/protobuf'
import { describe, expect, test } from 'vitest'
import { Condition_RevisionReason, Condition_State, ConditionSchema } from '../../../../src/api/gen/google/cloud/run/v2/condition_pb.ts'
import { ServiceSchema, type Service } from '../../../../src/api/gen/google/cloud/run/v2/service_pb.ts'
import { matchesSelector, toCondition } from '../../../../src/products/run/wire/v1-metadata.ts'
import { readV1, serviceSchema } from '../../../../src/products/run/wire/v1-schema.ts'
import { fromV1Service, toV1Service } from '../../../../src/products/run/wire/v1-service.ts'

const name = 'projects/p/locations/us-central1/services/web'
const place = { projectNumber: '123456789012', region: 'us-central1' }
const image = 'us-docker.pkg.dev/p/r/hello:1'

interface Case {
  readonly annotations?: Readonly<Record<string, string>>
  readonly template?: Readonly<Record<string, string>>
  readonly spec?: Readonly<Record<string, unknown>>
  readonly container?: Readonly<Record<string, unknown>>
  readonly traffic?: readonly unknown[]
}

const v1 = ({ annotations = {}, template = {}, spec = {}, container = {}, traffic = [] }: Case) => ({
  apiVersion: 'serving.knative.dev/v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'p', annotations },
  spec: {
    template: { metadata: { annotations: template }, spec: { timeoutSeconds: 300, containers: [{ image, ...container }], ...spec } },
    traffic,
  },
})
const read = (body: unknown): Service => fromV1Service(readV1(serviceSchema, body), name)
const json = (service: Service) => toJson(ServiceSchema, service) as Record<string, JsonValue>
const run = (word: string) => `run.googleapis.com/${word}`

/** What version 1 says, and the part of version 2 that it is. */
const cases: readonly (readonly [what: string, v1: Case, v2: object])[] = [
  ['scaling of the service', { annotations: { [run('minScale')]: '2', [run('maxScale')]: '9' } }, { scaling: { minInstanceCount: 2, maxInstanceCount: 9 } }],
  ['manual scaling', { annotations: { [run('scalingMode')]: 'manual', [run('manualInstanceCount')]: '0' } }, { scaling: { scalingMode: 'MANUAL', manualInstanceCount: 0 } }],
  ['scaling of the revision', { template: { 'autoscaling.knative.dev/minScale': '1', 'autoscaling.knative.dev/maxScale': '3' } }, { template: { scaling: { minInstanceCount: 1, maxInstanceCount: 3 } } }],
  ['ingress', { annotations: { [run('ingress')]: 'internal-and-cloud-load-balancing' } }, { ingress: 'INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER' }],
  ['the invoker check', { annotations: { [run('invoker-iam-disabled')]: 'true' } }, { invokerIamDisabled: true }],
  ['the default URL', { annotations: { [run('default-url-disabled')]: 'true' } }, { defaultUriDisabled: true }],
  ['audiences', { annotations: { [run('custom-audiences')]: '["https://a"]' } }, { customAudiences: ['https://a'] }],
  ['the client', { annotations: { [run('client-name')]: 'gcloud', [run('client-version')]: '528' } }, { client: 'gcloud', clientVersion: '528' }],
  ['the launch stage', { annotations: { [run('launch-stage')]: 'BETA' } }, { launchStage: 'BETA' }],
  ['binary authorization', { annotations: { [run('binary-authorization')]: 'default' } }, { binaryAuthorization: { useDefault: true } }],
  ['CPU that is always on', { template: { [run('cpu-throttling')]: 'false', [run('startup-cpu-boost')]: 'true' } }, { template: { containers: [{ resources: { startupCpuBoost: true } }] } }],
  ['CPU in requests alone', {}, { template: { containers: [{ name: 'hello-1', resources: { cpuIdle: true } }] } }],
  ['the environment', { template: { [run('execution-environment')]: 'gen2', [run('sessionAffinity')]: 'true' } }, { template: { executionEnvironment: 'EXECUTION_ENVIRONMENT_GEN2', sessionAffinity: true } }],
  ['Cloud SQL', { template: { [run('cloudsql-instances')]: 'p:r:a,p:r:b' } }, { template: { volumes: [{ name: 'cloudsql', cloudSqlInstance: { instances: ['p:r:a', 'p:r:b'] } }], containers: [{ volumeMounts: [{ name: 'cloudsql', mountPath: '/cloudsql' }] }] } }],
  ['secrets of another project', { template: { [run('secrets')]: 'key:projects/9/secrets/key' }, container: { env: [{ name: 'K', valueFrom: { secretKeyRef: { name: 'key', key: '2' } } }] } }, { template: { containers: [{ env: [{ name: 'K', valueSource: { secretKeyRef: { secret: 'projects/9/secrets/key', version: '2' } } }] }] } }],
  ['volumes', { spec: { volumes: [{ name: 's', secret: { secretName: 'key', items: [{ key: 'latest', path: 'k' }] } }, { name: 'm', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } }, { name: 'g', csi: { driver: 'gcsfuse.run.googleapis.com', readOnly: true, volumeAttributes: { bucketName: 'b' } } }] } }, { template: { volumes: [{ secret: { secret: 'key', items: [{ path: 'k', version: 'latest' }] } }, { emptyDir: { medium: 'MEMORY', sizeLimit: '1Mi' } }, { gcs: { bucket: 'b', readOnly: true } }] } }],
  ['VPC access', { template: { [run('vpc-access-connector')]: 'c', [run('vpc-access-egress')]: 'all-traffic' } }, { template: { vpcAccess: { connector: 'c', egress: 'ALL_TRAFFIC' } } }],
  ['order of containers', { template: { [run('container-dependencies')]: '{"a":["b"]}' }, spec: { containers: [{ name: 'a', image, ports: [{ name: 'http1', containerPort: 80 }] }, { name: 'b', image }] } }, { template: { containers: [{ name: 'a', dependsOn: ['b'] }, { name: 'b' }] } }],
  ['probes', { container: { livenessProbe: { periodSeconds: 5, httpGet: { path: '/live', port: 8080 } }, startupProbe: { grpc: { port: 9, service: 's' } } } }, { template: { containers: [{ livenessProbe: { periodSeconds: 5, httpGet: { path: '/live', port: 8080 } }, startupProbe: { grpc: { port: 9, service: 's' } } }] } }],
  ['numbers', { spec: { containerConcurrency: 7, timeoutSeconds: 60, serviceAccountName: 'a@b' } }, { template: { maxInstanceRequestConcurrency: 7, timeout: '60s', serviceAccount: 'a@b' } }],
  ['traffic', { traffic: [{ latestRevision: true, percent: 90 }, { revisionName: 'web-1', percent: 10, tag: 'old' }, { revisionName: 'web-2', tag: 'green' }] }, { traffic: [{ type: 'TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST', percent: 90 }, { type: 'TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION', revision: 'web-1', percent: 10, tag: 'old' }, { revision: 'web-2', tag: 'green' }] }],
] // prettier-ignore

describe('version 1 is version 2 in other words', () => {
  test.each(cases)('%s', (_what, told, expected) => {
    const service = read(v1(told))
    expect(json(service)).toMatchObject(expected)
    const again = read(toV1Service(service, place))
    expect({ ...json(again), etag: undefined }).toEqual({ ...json(service), etag: undefined })
  })
})

test('the default startup probe is written, and read back as none', () => {
  const told = toV1Service(read(v1({})), place) as { spec: { template: { metadata: object; spec: { containers: object[] } } } }
  expect(told.spec.template.metadata).toMatchObject({ labels: { [run('startupProbeType')]: 'Default' } })
  expect(told.spec.template.spec.containers[0]).toMatchObject({
    startupProbe: { timeoutSeconds: 240, periodSeconds: 240, failureThreshold: 1, tcpSocket: { port: 8080 } },
  })
  expect(read(told).template?.containers[0]?.startupProbe).toBeUndefined()
})

test('run trap 27 and 36: the deterministic URL comes first, status.url is the hash form, and generation is a number', () => {
  const service = fromJson(ServiceSchema, {
    name,
    generation: '3',
    observedGeneration: '3',
    uri: 'https://web-abc-uc.a.run.app',
    urls: ['https://web-123456789012.us-central1.run.app', 'https://web-abc-uc.a.run.app'],
    template: { containers: [{ image }] },
  })
  expect(json(service)['generation']).toBe('3')
  expect(toV1Service(service, place)).toMatchObject({
    metadata: {
      generation: 3,
      namespace: '123456789012',
      labels: { 'cloud.googleapis.com/location': 'us-central1' },
      annotations: { [run('urls')]: '["https://web-123456789012.us-central1.run.app","https://web-abc-uc.a.run.app"]' },
    },
    status: { url: 'https://web-abc-uc.a.run.app', address: { url: 'https://web-abc-uc.a.run.app' } },
  })
})

test('run trap 33: while it is deployed, the observed generation is an older one and nothing is ready', () => {
  const service = create(ServiceSchema, {
    name,
    generation: 2n,
    observedGeneration: 1n,
    reconciling: true,
    terminalCondition: { type: 'Ready', state: Condition_State.CONDITION_RECONCILING },
    conditions: [{ type: 'RoutesReady', state: Condition_State.CONDITION_SUCCEEDED }],
  })
  const { status } = toV1Service(service, place) as { status: { observedGeneration: number; conditions: { status: string }[] } }
  expect(status.observedGeneration).toBe(1)
  expect(status.conditions.map((condition) => condition.status)).toEqual(['Unknown', 'Unknown', 'Unknown'])
})

test('reasons are in Knative’s letters', () => {
  const condition = create(ConditionSchema, {
    type: 'Ready',
    state: Condition_State.CONDITION_FAILED,
    reasons: { case: 'revisionReason', value: Condition_RevisionReason.HEALTH_CHECK_CONTAINER_ERROR },
  })
  expect(toCondition(condition)).toMatchObject({ status: 'False', reason: 'HealthCheckContainerError' })
})

test('selectors choose as kubectl does', () => {
  const labels = { a: '1', 'client.knative.dev/nonce': 'xyz' }
  const matching = ['a=1', 'a == 1,client.knative.dev/nonce = xyz', 'a in (1, 2)', 'a', '!b', 'a!=2', 'a notin (2)', '']
  expect(matching.filter((selector) => matchesSelector(selector, labels))).toEqual(matching)
  const other = ['a=2', 'b', '!a', 'a in (2,3)', 'a=1,b=2', 'a notin (1)']
  expect(other.filter((selector) => matchesSelector(selector, labels))).toEqual([])
  for (const selector of ['a b', 'a=b c', '$(x)', 'a in b'])
    expect(() => matchesSelector(selector, labels), selector).toThrow('is not understood')
})

test('what is not emulated is refused by its annotation', () => {
  expect(() => read(v1({ template: { [run('base-images')]: '{}' } }))).toThrow(expect.objectContaining({ code: 'UNIMPLEMENTED' }))
  expect(() => read(v1({ annotations: { [run('ingress')]: 'some' } }))).toThrow('"some" is not one of: all, internal')
})
