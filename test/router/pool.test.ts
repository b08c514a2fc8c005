import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { CloudError } from '../../src/base/cloud-error.ts'
import { systemClock } from '../../src/base/clock.ts'
import { instancesToStart } from '../../src/router/desired-instances.ts'
import { createRevisionPool, type PoolInstance, type PoolOptions } from '../../src/router/pool.ts'

const never = new AbortController().signal

function givenPool(options: Partial<PoolOptions> = {}) {
  const started: PoolInstance[] = []
  const stopped: string[] = []
  const pool = createRevisionPool({
    id: 'r',
    concurrency: 1,
    minInstances: 0,
    maxInstances: 10,
    pendingMs: 100,
    clock: systemClock,
    startInstance: async () => {
      await sleep(20)
      const id = `i${started.length + 1}`
      const instance = { id, address: { host: '127.0.0.1', port: 1 }, stop: async () => void stopped.push(id) }
      started.push(instance)
      return instance
    },
    ...options,
  })
  return { pool, started, stopped }
}

test('run trap 13: the first request is held while an instance starts', async () => {
  const { pool } = givenPool()
  expect((await pool.acquire(never)).instance).toBe('i1')
})

test('run trap 11: one more request than the concurrency starts a second instance', async () => {
  const { pool, started } = givenPool({ concurrency: 2 })
  const leases = await Promise.all([1, 2, 3].map(() => pool.acquire(never)))
  expect(started).toHaveLength(2)
  expect(new Set(leases.map((lease) => lease.instance)).size).toBe(2)
})

test('at the maximum a request waits for room, and gets it', async () => {
  const { pool, started } = givenPool({ maxInstances: 1 })
  const first = await pool.acquire(never)
  const second = pool.acquire(never)
  first.release()
  expect((await second).instance).toBe('i1')
  expect(started).toHaveLength(1)
})

test('run trap 12: at the maximum a request that waited its time is refused', async () => {
  const { pool } = givenPool({ maxInstances: 1 })
  await pool.acquire(never)
  await expect(pool.acquire(never)).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' })
})

test('a start that fails is told to all who wait, and the next request tries again', async () => {
  let tries = 0
  const { pool } = givenPool({
    concurrency: 80,
    startInstance: async () => {
      tries += 1
      throw new CloudError('FAILED_PRECONDITION', 'crashed', 'look')
    },
  })
  await expect(Promise.all([pool.acquire(never), pool.acquire(never)])).rejects.toThrow('crashed')
  expect(tries).toBe(1)
  await expect(pool.acquire(never)).rejects.toThrow('crashed')
  expect(tries).toBe(2)
})

test('run trap 16: after an instance ended the next request gets a new one', async () => {
  const { pool } = givenPool()
  const lease = await pool.acquire(never)
  pool.instanceEnded(lease.instance)
  lease.release()
  expect((await pool.acquire(never)).instance).toBe('i2')
})

test('closing waits for what is under way, then stops the instances', async () => {
  const { pool, stopped } = givenPool()
  const lease = await pool.acquire(never)
  const closing = pool.close()
  await sleep(10)
  expect(stopped).toEqual([])
  lease.release()
  await closing
  expect(stopped).toEqual(['i1'])
})

test('how many instances to start follows the requests, within the limits', () => {
  const limits = { concurrency: 10, min: 0, max: 3 }
  expect(instancesToStart({ requests: 1, instances: 0, starting: 0 }, limits)).toBe(1)
  expect(instancesToStart({ requests: 11, instances: 1, starting: 0 }, limits)).toBe(1)
  expect(instancesToStart({ requests: 11, instances: 1, starting: 1 }, limits)).toBe(0)
  expect(instancesToStart({ requests: 99, instances: 1, starting: 0 }, limits)).toBe(2)
  expect(instancesToStart({ requests: 0, instances: 0, starting: 0 }, { ...limits, min: 2 })).toBe(2)
})
