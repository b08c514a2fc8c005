import { create } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import { WorkerPoolSchema, type WorkerPool } from '../../../src/api/gen/google/cloud/run/v2/worker_pool_pb.ts'
import { openOperations } from '../../../src/api/operations.ts'
import { systemClock } from '../../../src/base/clock.ts'
import { schema } from '../../../src/daemon/schema.ts'
import { poolKind } from '../../../src/products/run/names.ts'
import { aboutResource, openWrites, stamp } from '../../../src/products/run/resource-writes.ts'
import { openRunResources, rowKinds } from '../../../src/products/run/resources.ts'
import { openState } from '../../../src/state/state.ts'
import { freshDirectory } from '../../state/given-state.ts'

const parent = 'projects/123456789012/locations/r'
const stored = 'projects/shop/locations/r/workerPools/w'
const pool = (description: string, etag = '') =>
  create(WorkerPoolSchema, { name: `${parent}/workerPools/w`, description, labels: { a: '1' }, etag })

async function given() {
  const state = openState(freshDirectory(), schema)
  const needs = {
    state,
    clock: systemClock,
    operations: await openOperations(state),
    project: () => ({ id: 'shop', number: '123456789012' }),
  }
  const pools = openRunResources(needs, poolKind, rowKinds.pool, [])
  const writes = openWrites(needs, poolKind, WorkerPoolSchema, pools, {
    toStored(sent, name, current, caller) {
      const filled = create(WorkerPoolSchema, { name, description: sent.description, labels: sent.labels })
      stamp(filled, current, caller, new Date(systemClock.nowMs()))
      return filled
    },
    async apply(filled) {
      await pools.put(filled)
      return needs.operations.done(aboutResource(WorkerPoolSchema, filled), [WorkerPoolSchema, filled])
    },
    async delete(gone) {
      await pools.delete(gone.name)
      return async () => gone
    },
  })
  const make = (sent: WorkerPool, validateOnly = false) => writes.create({ parent, id: 'w', sent, validateOnly }, 'me@x')
  const change = (sent: WorkerPool, mask: readonly string[] = [], allowMissing = false) =>
    writes.update({ sent, mask, allowMissing, validateOnly: false }, 'you@x')
  return { state, pools, writes, make, change }
}

test('what the server says of a resource is written anew, or stays; who changed it and its etag are new', async () => {
  const { state, pools, make, change } = await given()
  await using _state = state
  await make(pool('one'))
  const first = pools.get(stored)
  expect(first).toMatchObject({ name: stored, generation: 1n, creator: 'me@x', lastModifier: 'me@x' })
  await change(pool('two'))
  const second = pools.get(stored)
  expect(second).toMatchObject({ uid: first.uid, createTime: first.createTime, generation: 2n, creator: 'me@x', lastModifier: 'you@x' })
  expect(second.etag).not.toBe(first.etag)
})

test('an id is given once, and is refused by its rule', async () => {
  const { state, pools, writes, make } = await given()
  await using _state = state
  await make(pool('one'))
  await expect(make(pool('two'))).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
  await expect(writes.create({ parent, id: 'W', sent: pool(''), validateOnly: false }, '')).rejects.toThrow('worker_pool_id')
  expect(pools.get(stored).description).toBe('one')
})

test('an etag that does not match is ABORTED, for an update and a deletion; the right one and none pass', async () => {
  const { state, pools, writes, make, change } = await given()
  await using _state = state
  await make(pool('one'))
  const aborted = { code: 'ABORTED' }
  await expect(change(pool('two', '"other"'))).rejects.toMatchObject(aborted)
  await expect(writes.delete({ name: stored, etag: '"other"', validateOnly: false })).rejects.toMatchObject(aborted)
  await change(pool('two', pools.get(stored).etag))
  await writes.delete({ name: stored, etag: '', validateOnly: false })
  expect(pools.find(stored)).toBeUndefined()
})

test('a mask changes its fields alone, without one the update replaces', async () => {
  const { state, pools, make, change } = await given()
  await using _state = state
  await make(pool('one'))
  await change(create(WorkerPoolSchema, { name: stored, description: 'two' }), ['description'])
  expect(pools.get(stored)).toMatchObject({ description: 'two', labels: { a: '1' } })
  await change(create(WorkerPoolSchema, { name: stored, description: 'three' }))
  expect(pools.get(stored)).toMatchObject({ description: 'three', labels: {} })
})

test('what is missing is NOT_FOUND unless the update may make it; validateOnly stores nothing', async () => {
  const { state, pools, make, change } = await given()
  await using _state = state
  await expect(change(pool('one'))).rejects.toMatchObject({ code: 'NOT_FOUND' })
  await make(pool('one'), true)
  expect(pools.find(stored)).toBeUndefined()
  await change(pool('one'), [], true)
  expect(pools.get(stored).generation).toBe(1n)
})
