import { toJson, type JsonValue } from '@bufbuild/protobuf'
import { describe, expect, test } from 'vitest'
import { WorkerPoolSchema, type WorkerPool } from '../../../../src/api/gen/google/cloud/run/v2/worker_pool_pb.ts'
import { readV1, workerPoolSchema } from '../../../../src/products/run/wire/v1-schema.ts'
import { fromV1WorkerPool, toV1WorkerPool } from '../../../../src/products/run/wire/v1-worker-pool.ts'

const name = 'projects/p/locations/us-central1/workerPools/pool'
const place = { projectNumber: '123456789012', region: 'us-central1' }
const run = (word: string) => `run.googleapis.com/${word}`

interface Case {
  readonly annotations?: Readonly<Record<string, string>>
  readonly template?: Readonly<Record<string, string>>
  readonly container?: Readonly<Record<string, unknown>>
  readonly splits?: readonly unknown[]
}

const read = ({ annotations = {}, template = {}, container = {}, splits = [] }: Case): WorkerPool => {
  const spec = { template: { metadata: { annotations: template }, spec: { containers: [{ image: 'i', ...container }] } } }
  return fromV1WorkerPool(
    readV1(workerPoolSchema, { metadata: { name: 'pool', annotations }, spec: { ...spec, instanceSplits: splits } }),
    name,
  )
}

const cases: readonly (readonly [what: string, v1: Case, v2: object])[] = [
  ['the count', { annotations: { [run('scalingMode')]: 'manual', [run('manualInstanceCount')]: '0' } }, { scaling: { manualInstanceCount: 0 } }],
  ['the description and the client', { annotations: { [run('description')]: 'd', [run('client-name')]: 'gcloud' } }, { description: 'd', client: 'gcloud' }],
  ['binary authorization', { annotations: { [run('binary-authorization')]: 'default' } }, { binaryAuthorization: { useDefault: true } }],
  ['Cloud SQL', { template: { [run('cloudsql-instances')]: 'p:r:a' } }, { template: { volumes: [{ cloudSqlInstance: { instances: ['p:r:a'] } }] } }],
  ['a container', { container: { command: ['c'], args: ['a'], resources: { limits: { cpu: '2' } } } }, { template: { containers: [{ command: ['c'], args: ['a'], resources: { limits: { cpu: '2' } } }] } }],
  ['splits', { splits: [{ latestRevision: true, percent: 25 }, { revisionName: 'pool-1', percent: 75 }] }, { instanceSplits: [{ type: 'INSTANCE_SPLIT_ALLOCATION_TYPE_LATEST', percent: 25 }, { type: 'INSTANCE_SPLIT_ALLOCATION_TYPE_REVISION', revision: 'pool-1', percent: 75 }] }],
] // prettier-ignore

describe('a worker pool of version 1', () => {
  test.each(cases)('says %s as version 2 does, and back', (_what, v1, v2) => {
    const pool = read(v1)
    expect(toJson(WorkerPoolSchema, pool) as Record<string, JsonValue>).toMatchObject(v2)
    const again = fromV1WorkerPool(readV1(workerPoolSchema, toV1WorkerPool(pool, place)), name)
    expect({ ...again, scaling: undefined, etag: '' }).toEqual({ ...pool, scaling: undefined, etag: '' })
  })
  test('has its CPU always', () => {
    expect(read({}).template?.containers[0]?.resources?.cpuIdle).toBe(false)
    expect(JSON.stringify(toV1WorkerPool(read({}), place))).not.toContain('cpu-throttling')
  })
  test.each([
    ['minScale', { annotations: { [run('minScale')]: '1' } }, 'UNIMPLEMENTED'],
    ['automatic scaling', { annotations: { [run('scalingMode')]: 'automatic' } }, 'UNIMPLEMENTED'],
    ['the first generation', { template: { [run('execution-environment')]: 'gen1' } }, 'INVALID_ARGUMENT'],
    ['a split that names two', { splits: [{ latestRevision: true, revisionName: 'pool-1', percent: 100 }] }, 'INVALID_ARGUMENT'],
  ] as const)('refuses %s', (_what, v1, code) => {
    expect(() => read(v1)).toThrow(expect.objectContaining({ code }))
  })
})
