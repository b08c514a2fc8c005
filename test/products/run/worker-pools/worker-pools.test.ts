import { create } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import { InstanceSplitAllocationType, InstanceSplitSchema } from '../../../../src/api/gen/google/cloud/run/v2/instance_split_pb.ts'
import { WorkerPoolSchema } from '../../../../src/api/gen/google/cloud/run/v2/worker_pool_pb.ts'
import {
  countFailure,
  decidePool,
  type PoolPlan,
  restartDelayMs,
  type ObservedInstance,
} from '../../../../src/products/run/worker-pools/decide.ts'
import { fillPool } from '../../../../src/products/run/worker-pools/fill-pool.ts'
import { wantedInstances } from '../../../../src/products/run/worker-pools/rollouts.ts'
import { checkSplits, resolveSplits, shareOut } from '../../../../src/products/run/worker-pools/splits.ts'

const instance = (name: string, revision: string, state: ObservedInstance['state'] = 'running'): ObservedInstance => ({
  name,
  revision,
  state,
})
const plan = (wanted: Record<string, number>, observed: readonly ObservedInstance[], backOff: Record<string, number> = {}) =>
  planLines(decidePool(new Map(Object.entries(wanted)), observed, new Map(Object.entries(backOff)), 1000))

test('what is missing is started, what is too many is stopped, newest first', () => {
  expect(plan({ a: 3 }, [instance('a1', 'a'), instance('a2', 'a', 'stopping')])).toEqual(['start 2 of a'])
  expect(plan({ a: 1 }, [instance('a1', 'a'), instance('a2', 'a')])).toEqual(['stop a2'])
  expect(plan({}, [instance('a1', 'a', 'starting')])).toEqual(['stop a1'])
})

test('a rollout stops the old instances only when all of the new ones run', () => {
  const old = instance('a1', 'a')
  expect(plan({ b: 1 }, [old])).toEqual(['start 1 of b'])
  expect(plan({ b: 1 }, [old, instance('b1', 'b', 'settling')])).toEqual([])
  expect(plan({ b: 1 }, [old, instance('b1', 'b')])).toEqual(['stop a1'])
})

test('nothing is started before its back-off is over, which doubles up to five minutes and ends with a sound run', () => {
  expect(plan({ a: 1 }, [], { a: 5000 })).toEqual(['look again at 5000'])
  expect(plan({ a: 1 }, [], { a: 1000 })).toEqual(['start 1 of a'])
  expect([1, 2, 3, 9, 20].map(restartDelayMs)).toEqual([1000, 2000, 4000, 256_000, 300_000])
  expect([countFailure(4, 500), countFailure(4, 60_000)]).toEqual([5, 1])
})

const { LATEST, REVISION } = InstanceSplitAllocationType
const split = (percent: number, revision = '') =>
  create(InstanceSplitSchema, { type: revision === '' ? LATEST : REVISION, revision, percent })

test('instances are shared out by percent, whole and all of them', () => {
  expect(shareOut(resolveSplits([], 'p-2'), 3)).toEqual(new Map([['p-2', 3]]))
  expect(shareOut(resolveSplits([split(70), split(30, 'p-1')], 'p-2'), 5)).toEqual(new Map([['p-2', 4], ['p-1', 1]])) // prettier-ignore
  expect(shareOut(resolveSplits([], ''), 3)).toEqual(new Map())
  expect(() => checkSplits([split(70)])).toThrow('should be 100, but is 70')
  expect(() => checkSplits([create(InstanceSplitSchema, { type: REVISION, percent: 100 })])).toThrow('names a revision exactly when')
})

test('while a revision is rolled out, what served before stays wanted; after a failure it alone does', () => {
  const pool = create(WorkerPoolSchema, {
    latestReadyRevision: 'x/revisions/p-1',
    latestCreatedRevision: 'x/revisions/p-2',
    scaling: { manualInstanceCount: 2 },
    reconciling: true,
  })
  expect(wantedInstances(pool)).toEqual(new Map([['p-1', 2], ['p-2', 2]])) // prettier-ignore
  pool.reconciling = false
  expect(wantedInstances(pool)).toEqual(new Map([['p-1', 2]]))
})

test('a worker pool is filled with defaults, and what it cannot be is refused', () => {
  const name = 'projects/p/locations/r/workerPools/w'
  const pool = (container: object, more: object = {}) =>
    create(WorkerPoolSchema, { template: { containers: [{ image: 'a', ...container }] }, ...more })
  const filled = fillPool(pool({}, { uid: 'forged' }), name)
  expect(filled).toMatchObject({ uid: '', scaling: { manualInstanceCount: 1 } })
  expect(filled.instanceSplits).toMatchObject([{ type: LATEST, percent: 100 }]) // gcloud adds to what it reads here
  expect(filled.template?.containers[0]?.resources?.limits).toEqual({ cpu: '1000m', memory: '512Mi' })
  expect(fillPool(pool({}, { scaling: { manualInstanceCount: 0 } }), name).scaling?.manualInstanceCount).toBe(0)
  expect(() => fillPool(pool({ ports: [{ containerPort: 1 }] }), name)).toThrow('has no ports')
  expect(() => fillPool(pool({ readinessProbe: {} }), name)).toThrow('readiness probes of worker pools')
  expect(() => fillPool(pool({ dependsOn: ['db'] }), name)).toThrow('which is not a container')
  expect(() => fillPool(pool({ env: [{ name: 'CLOUD_RUN_WORKER_POOL' }] }), name)).toThrow('reserved env names')
  expect(() => fillPool(pool({}, { template: { revision: 'other-1', containers: [{ image: 'a' }] } }), name)).toThrow(
    'must be prefixed by "w-"',
  )
})

/** The plan as text, a line a step. */
function planLines({ start, stop, wakeMs }: PoolPlan): string[] {
  return [
    ...start.map(({ revision, count }) => `start ${count} of ${revision}`),
    ...stop.map((name) => `stop ${name}`),
    ...(wakeMs === undefined ? [] : [`look again at ${wakeMs}`]),
  ]
}
