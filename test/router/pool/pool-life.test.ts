import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { CloudError } from '../../../src/base/cloud-error.ts'
import { givenPool, never, sleep } from './given-pool.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const wait = (ms: number) => vi.advanceTimersByTimeAsync(ms)

test('run trap 19: an idle instance stops after the idle limit, the longest idle first, and the minimum is kept', async () => {
  const { pool, stopped, started, acquired, events } = givenPool({ idleMs: 60_000, minInstances: 1 })
  await wait(100)
  const leases = [await acquired(), await acquired(), await acquired()]
  expect(started).toHaveLength(3)
  for (const lease of leases) {
    lease.release()
    await wait(5000)
  }
  await wait(46_000)
  expect(stopped).toEqual(['i1'])
  await wait(120_000)
  expect(stopped).toEqual(['i1', 'i2'])
  expect(pool.instances).toMatchObject([{ id: 'i3' }])
  expect(events).toContainEqual({ kind: 'stopping', instance: 'i1', reason: 'idle' })
})

test('back to zero, and from zero again', async () => {
  const { pool, stopped, acquired } = givenPool({ idleMs: 60_000 })
  ;(await acquired()).release()
  await wait(62_000)
  expect(stopped).toEqual(['i1'])
  expect(pool.instances).toEqual([])
  expect((await acquired()).instance).toBe('i2')
})

test('an instance with a request in flight is never idle', async () => {
  const { stopped, acquired } = givenPool({ idleMs: 10_000 })
  const lease = await acquired()
  await wait(3_600_000)
  expect(stopped).toEqual([])
  lease.release()
  await wait(11_000)
  expect(stopped).toEqual(['i1'])
})

test('the minimum starts by itself, and follows the limits without a new pool', async () => {
  const { pool, started, stopped, events } = givenPool({ minInstances: 1, idleMs: 60_000 })
  await wait(50)
  expect(started).toEqual(['i1'])
  expect(events[0]).toEqual({ kind: 'starting', reason: 'minimum' })
  pool.setLimits({ min: 3, max: 3 })
  await wait(50)
  expect(started).toHaveLength(3)
  pool.setLimits({ min: 0, max: 2 })
  await wait(1100)
  expect(stopped).toHaveLength(1) // above the maximum it goes at once
  await wait(61_000)
  expect(pool.instances).toEqual([])
})

test('the health check of a deployment is the reason told, and waits as long as a start takes', async () => {
  const { pool, events } = givenPool({ startMs: 100_000 })
  const warm = pool.warm(never)
  await wait(100_000)
  await warm
  expect(events).toEqual([{ kind: 'starting', reason: 'deployment' }])
})

test('run trap 9: without a request an instance is paused after the grace, and resumed before the next one', async () => {
  const { pool, paused, resumed, acquired } = givenPool({ pauseAfterMs: 500 })
  const first = await acquired()
  await wait(10_000)
  expect(paused).toEqual([])
  first.release()
  await wait(499)
  expect(pool.instances).toMatchObject([{ state: 'idle' }])
  await wait(25)
  expect(paused).toEqual(['i1'])
  expect(pool.instances).toMatchObject([{ state: 'paused' }])
  expect(pool.tryAcquire()).toBeUndefined()
  const second = await acquired()
  expect(resumed).toEqual(['i1'])
  expect(second.instance).toBe('i1')
  await wait(10_000)
  expect(paused).toEqual(['i1'])
})

test('back-to-back requests pay nothing: an instance with gaps shorter than the grace is not paused', async () => {
  const { pool, paused, acquired } = givenPool({ pauseAfterMs: 500 })
  ;(await acquired()).release()
  for (let n = 0; n < 50; n += 1) {
    await wait(400)
    pool.tryAcquire()?.release()
  }
  expect(paused).toEqual([])
})

test('a request that comes while the pause is under way gets the instance resumed, not a second one', async () => {
  const { started, paused, resumed, pool, acquired } = givenPool({ pauseAfterMs: 500 })
  ;(await acquired()).release()
  await wait(510)
  expect(paused).toEqual([]) // the engine is still at it
  const lease = pool.acquire(never)
  await wait(40)
  expect((await lease).instance).toBe('i1')
  expect({ paused, resumed, started }).toEqual({ paused: ['i1'], resumed: ['i1'], started: ['i1'] })
})

test('F30: never paused with a request in flight: two thousand requests with random gaps', async () => {
  const { pool, paused, resumed } = givenPool({ pauseAfterMs: 100, concurrency: 4, maxInstances: 1 })
  let seed = 7
  const random = () => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31
  let inFlight = 0
  let isPaused = false
  const seen: boolean[] = []
  for (let n = 0; n < 2000; n += 1) {
    void pool.acquire(never).then(async (lease) => {
      inFlight += 1
      isPaused = paused.length > resumed.length
      seen.push(isPaused)
      await sleep(random() * 60)
      if (paused.length > resumed.length) seen.push(true)
      inFlight -= 1
      lease.release()
    })
    await wait(random() * 260)
  }
  await wait(1000)
  expect(inFlight).toBe(0)
  expect(seen).toHaveLength(2000)
  expect(seen).not.toContain(true)
  expect(paused.length).toBeGreaterThan(50)
})

test('without a pause of its own an instance keeps its CPU', async () => {
  const { paused, acquired } = givenPool()
  ;(await acquired()).release()
  await wait(60_000)
  expect(paused).toEqual([])
})

test('an instance whose session wants it is resumed for it, though another one runs', async () => {
  const { pool, acquired } = givenPool({ pauseAfterMs: 500, concurrency: 2 })
  const [first, second] = [await acquired(), await acquired(), await acquired()]
  expect(second?.instance).toBe('i1')
  const other = pool.instances.find(({ id }) => id === 'i2')
  expect(other).toMatchObject({ inFlight: 1 })
  first?.release()
  second?.release()
  await wait(600)
  const lease = pool.acquire(never, 'i1')
  await wait(30)
  expect((await lease).instance).toBe('i1')
})

test('taken over from a daemon that died, an instance gets its CPU back before anything else', async () => {
  const { pool, resumed, paused, adopted } = givenPool({ pauseAfterMs: 500 })
  pool.adopt(adopted('old'))
  const lease = pool.acquire(never)
  await wait(25)
  expect((await lease).instance).toBe('old')
  expect(resumed).toEqual(['old'])
  expect(paused).toEqual([])
})

test('run trap 16: after an instance crashed the next request gets a new one at once, and what is left of it is removed', async () => {
  const { pool, stopped, acquired } = givenPool()
  const lease = await acquired()
  pool.instanceEnded(lease.instance)
  lease.release()
  await wait(10)
  expect(stopped).toEqual(['i1'])
  expect((await acquired()).instance).toBe('i2')
})

test('an instance that crashed before it joined is none', async () => {
  const { pool } = givenPool({
    startInstance: async (instance) => {
      if (instance.id === 'i1') pool.instanceEnded('i1')
      return instance
    },
  })
  const lease = pool.acquire(never)
  await wait(1100)
  expect((await lease).instance).toBe('i2')
})

const crash = new CloudError('FAILED_PRECONDITION', 'crashed', 'look', { fault: 'APP_CRASHED' })

test('a start that fails is told to all who wait, once', async () => {
  let tries = 0
  const { pool } = givenPool({ concurrency: 80, startInstance: async () => ((tries += 1), Promise.reject(crash)) })
  await expect(Promise.allSettled([pool.acquire(never), pool.acquire(never)])).resolves.toMatchObject([
    { reason: { message: 'crashed' } },
    { reason: { message: 'crashed' } },
  ])
  expect(tries).toBe(1)
})

test('F31: a crash loop backs off from 1 s to 60 s', async () => {
  const tries: number[] = []
  givenPool({ minInstances: 1, startInstance: async () => (tries.push(performance.now()), Promise.reject(crash)) })
  await wait(400_000)
  const gaps = tries.slice(1).map((at, n) => Math.round((at - (tries[n] ?? 0)) / 1000))
  expect(gaps.slice(0, 8)).toEqual([1, 2, 4, 8, 16, 32, 60, 60])
})

test('instances that start well and end at once are a crash loop too', async () => {
  const { pool, started } = givenPool({ minInstances: 1 })
  const over = setInterval(() => pool.instances.forEach(({ id }) => id !== '' && pool.instanceEnded(id)), 200)
  await wait(60_000)
  clearInterval(over)
  expect(started.length).toBeLessThan(9)
  await wait(70_000) // it is healthy from now on
  const before = started.length
  pool.instanceEnded(pool.instances[0]?.id ?? '')
  await wait(100)
  expect(started).toHaveLength(before + 1)
})

test('in a crash loop a request waits for the next try when that is soon, and is told why at once when it is not', async () => {
  let tries = 0
  const { pool } = givenPool({ startInstance: async (made) => ((tries += 1), tries < 6 ? Promise.reject(crash) : made) })
  const errors: unknown[] = []
  for (let n = 0; n < 5; n += 1) {
    pool.acquire(never).catch((error: unknown) => errors.push(error))
    await wait(n === 4 ? 100 : 8100) // 1, 2, 4 and 8 s: each next one waits for its try
  }
  expect(tries).toBe(5)
  expect(errors).toHaveLength(5)
  await expect(pool.acquire(never)).rejects.toThrow('crashed') // 16 s from the fifth: longer than it would wait
  expect(tries).toBe(5)
  await wait(10_000)
  const last = pool.acquire(never)
  await wait(10_000)
  expect((await last).instance).toBe('i6')
})

test('an engine that cannot resume an instance three times has lost it', async () => {
  const { pool, adopted, stopped } = givenPool({ pauseAfterMs: 500 })
  pool.adopt({ ...adopted('old'), resume: () => Promise.reject(new Error('no such container')) })
  const lease = pool.acquire(never)
  await wait(4000)
  expect(stopped).toEqual(['old'])
  expect((await lease).instance).toBe('i1')
})

test('the idle limit changes without a new pool', async () => {
  const { pool, stopped, acquired } = givenPool({ idleMs: 900_000 })
  ;(await acquired()).release()
  await wait(20_000)
  pool.setLimits({ min: 0, max: 10, idleMs: 30_000 })
  await wait(9000)
  expect(stopped).toEqual([])
  await wait(3000)
  expect(stopped).toEqual(['i1'])
})
