import net, { type AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { CloudError } from '../../../src/base/cloud-error.ts'
import { givenPool, never, sleep } from './given-pool.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const wait = (ms: number) => vi.advanceTimersByTimeAsync(ms)

test('run trap 13: the first request is held while an instance starts', async () => {
  const { pool } = givenPool({ startMs: 5000 })
  const lease = pool.acquire(never)
  await wait(5000)
  expect((await lease).instance).toBe('i1')
})

test('run trap 11: one more request than the concurrency starts a second instance', async () => {
  const { pool, started } = givenPool({ concurrency: 2 })
  const leases = Promise.all([1, 2, 3].map(() => pool.acquire(never)))
  await wait(20)
  expect(started).toHaveLength(2)
  expect(new Set((await leases).map((lease) => lease.instance)).size).toBe(2)
})

test('several requests that wait start only as many instances as they need', async () => {
  const { pool, started } = givenPool({ concurrency: 80 })
  const leases = Promise.all(Array.from({ length: 40 }, () => pool.acquire(never)))
  await wait(20)
  expect(await leases).toHaveLength(40)
  expect(started).toHaveLength(1)
})

test('at the maximum a request waits for room, and gets it, first come first served', async () => {
  const { pool, started, acquired } = givenPool({ maxInstances: 1 })
  const first = await acquired()
  const order: string[] = []
  const second = pool.acquire(never).then((lease) => (order.push('second'), lease))
  const third = pool.acquire(never).then((lease) => (order.push('third'), lease))
  first.release()
  ;(await second).release()
  await third
  expect(order).toEqual(['second', 'third'])
  expect(started).toHaveLength(1)
})

test('run trap 12: at the maximum a request that waited 10 s is refused, not at once and not never', async () => {
  const { pool, events, acquired } = givenPool({ maxInstances: 1 })
  await acquired()
  let refused: unknown
  pool.acquire(never).catch((error: unknown) => (refused = error))
  await wait(9900)
  expect(refused).toBeUndefined()
  await wait(1200)
  expect(refused).toMatchObject({ code: 'RESOURCE_EXHAUSTED', fault: 'NO_INSTANCE' })
  expect(events).toContainEqual({ kind: 'refused', code: 'RESOURCE_EXHAUSTED' })
})

test('run trap 12: where a start takes 5 s, a request waits 17.5 s', async () => {
  const { pool, acquired } = givenPool({ maxInstances: 1, startMs: 5000 })
  await acquired(5000)
  let refused: unknown
  pool.acquire(never).catch((error: unknown) => (refused = error))
  await wait(17_000)
  expect(refused).toBeUndefined()
  await wait(1600)
  expect(refused).toMatchObject({ code: 'RESOURCE_EXHAUSTED' })
})

test('run trap 12: below the maximum it is another error, since the maximum is not what stops it', async () => {
  let starts = 0
  const { pool } = givenPool({
    startInstance: async (instance) => {
      starts += 1
      if (starts > 1) await sleep(60_000)
      return instance
    },
  })
  const first = pool.acquire(never)
  await wait(1)
  await first
  let refused: unknown
  pool.acquire(never).catch((error: unknown) => (refused = error))
  await wait(11_100)
  expect(refused).toMatchObject({ code: 'UNAVAILABLE', fault: 'NO_INSTANCE' })
})

test('run trap 42: while the first start ever is under way, its startup probe decides how long requests wait', async () => {
  const { pool } = givenPool({ startMs: 100_000 })
  const lease = pool.acquire(never)
  await wait(100_000)
  expect((await lease).instance).toBe('i1')
})

test('a request that goes away while it waits leaves no trace', async () => {
  const { pool, acquired } = givenPool({ maxInstances: 1 })
  const first = await acquired()
  const gone = new AbortController()
  const left = pool.acquire(gone.signal)
  const stays = pool.acquire(never)
  gone.abort(new Error('gone'))
  await expect(left).rejects.toThrow('gone')
  first.release()
  ;(await stays).release()
  expect(pool.instances).toMatchObject([{ inFlight: 0 }])
})

test('a machine that slept refuses nobody for it, and stops no instance for it', async () => {
  const { pool, acquired, stopped } = givenPool({ maxInstances: 1, idleMs: 30_000 })
  const first = await acquired()
  let refused: unknown
  const second = pool.acquire(never).catch((error: unknown) => (refused = error))
  await wait(2000)
  vi.setSystemTime(Date.now())
  const ticks = performance.now()
  vi.spyOn(performance, 'now').mockImplementation(() => ticks + 3_600_000)
  await wait(3000)
  expect(refused).toBeUndefined()
  vi.mocked(performance.now).mockRestore()
  first.release()
  await second
  expect(stopped).toEqual([])
})

test('session: the preferred instance is taken while it has room, then another one', async () => {
  const { pool } = givenPool({ concurrency: 2, minInstances: 3 })
  await wait(50)
  for (let n = 0; n < 20; n += 1) {
    const lease = pool.tryAcquire('i2')
    expect(lease?.instance).toBe('i2')
    lease?.release()
  }
  const held = [pool.tryAcquire('i2'), pool.tryAcquire('i2')]
  expect(held.map((lease) => lease?.instance)).toEqual(['i2', 'i2'])
  expect(pool.tryAcquire('i2')?.instance).not.toBe('i2')
})

test('run trap 50: without a session requests that follow one another take turns', async () => {
  const { pool } = givenPool({ concurrency: 2, minInstances: 3 })
  await wait(50)
  const seen = Array.from({ length: 6 }, () => {
    const lease = pool.tryAcquire()
    lease?.release()
    return lease?.instance
  })
  expect(new Set(seen).size).toBe(3)
})

test('an instance that is not ready gets no new request and is not stopped; ready again, it does', async () => {
  const { pool, acquired, stopped } = givenPool({ maxInstances: 1 })
  ;(await acquired()).release()
  pool.setReady('i1', false)
  expect(pool.instances).toMatchObject([{ id: 'i1', state: 'not ready' }])
  const lease = pool.acquire(never)
  await wait(5000)
  expect(stopped).toEqual([])
  pool.setReady('i1', true)
  expect((await lease).instance).toBe('i1')
})

test('closing serves what waits and lets what is under way finish, then stops the instances', async () => {
  const { pool, stopped, acquired } = givenPool({ maxInstances: 1 })
  const first = await acquired()
  const second = pool.acquire(never)
  const closing = pool.close()
  await expect(pool.acquire(never)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  await wait(10)
  expect(stopped).toEqual([])
  first.release()
  const last = await second
  expect(stopped).toEqual([])
  last.release()
  await closing
  expect(stopped).toEqual(['i1'])
})

test('closing at once refuses what waits, and still lets what is under way finish', async () => {
  const { pool, stopped, acquired } = givenPool({ maxInstances: 1 })
  const first = await acquired()
  const second = expect(pool.acquire(never)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  const closing = pool.close('now')
  await second
  expect(stopped).toEqual([])
  first.release()
  await closing
  expect(stopped).toEqual(['i1'])
})

test('a pool that was left does nothing more', async () => {
  const { pool, stopped, acquired, paused } = givenPool({ idleMs: 1000, pauseAfterMs: 500 })
  ;(await acquired()).release()
  pool.leave()
  await wait(60_000)
  expect(stopped).toEqual([])
  expect(paused).toEqual([])
})

test('nothing starts while it is looked for what runs; what is found takes the requests that came meanwhile', async () => {
  const { pool, started, adopted } = givenPool({ isHeld: true, minInstances: 1 })
  const lease = pool.acquire(never)
  await wait(3000)
  expect(started).toEqual([])
  pool.adopt(adopted('old'))
  pool.open()
  await wait(30)
  expect((await lease).instance).toBe('old')
  await wait(3000)
  expect(started).toEqual([])
})

test('an instance that failed to come back from an earlier daemon is replaced', async () => {
  const { pool } = givenPool({ isHeld: true })
  pool.adopt(Promise.reject(new CloudError('FAILED_PRECONDITION', 'crashed', 'look')))
  const lease = pool.acquire(never)
  pool.open()
  await wait(50)
  expect((await lease).instance).toBe('i1')
})

test('whoever waits for the answer of an instance that is gone is told', async () => {
  const { pool, acquired } = givenPool({ concurrency: 2 })
  const first = await acquired()
  const second = await acquired()
  const told: string[] = []
  first.onLost = () => told.push('first')
  second.onLost = () => told.push('second')
  second.release()
  pool.instanceEnded(first.instance)
  expect(told).toEqual(['first'])
})

test('run trap 16: an instance whose connection broke gets no request until it takes connections; one that does not counts as lost', async () => {
  vi.useRealTimers()
  const server = net.createServer((socket) => socket.destroy())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const { pool } = givenPool({ startInstance: async (made) => made })
  const lease = await pool.acquire(never)
  pool.instanceEnded(lease.instance)
  lease.release()
  pool.adopt({ id: 'alive', address: { host: '127.0.0.1', port }, stop: async () => {} })
  const alive = await pool.acquire(never)
  alive.broken?.()
  alive.release()
  expect(pool.tryAcquire()).toBeUndefined()
  expect((await pool.acquire(never)).instance).toBe('alive')
  await new Promise((resolve) => server.close(resolve))
  const again = pool.acquire(never)
  const dead = await again
  expect(dead.instance).toBe('i2')
  dead.broken?.() // nothing listens on its port
  dead.release()
  expect((await pool.acquire(never)).instance).toBe('i3')
})
