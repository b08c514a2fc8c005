import { expect, test } from 'vitest'
import { autoscale, RecentMost, WindowMean, windowMs, type Scaling } from '../../../src/router/pool/autoscaler.ts'

const scaling: Scaling = { concurrency: 10, min: 0, max: 100, idleMs: 900_000 }
const nothing = { requests: 0, meanInFlight: 0, mostWanted: 0, serving: 0, starting: 0, unready: 0, idleMs: [] }

test('what waits starts instances at once, and only as many as it fills', () => {
  expect(autoscale({ ...nothing, requests: 1 }, scaling)).toEqual({ wanted: 1, start: 1, stop: 0 })
  expect(autoscale({ ...nothing, requests: 11, serving: 1 }, scaling).start).toBe(1)
  expect(autoscale({ ...nothing, requests: 11, serving: 1, starting: 1 }, scaling).start).toBe(0)
  expect(autoscale({ ...nothing, requests: 99, serving: 1 }, { ...scaling, max: 3 }).start).toBe(2)
})

test('the mean of a minute fills instances to 60 percent', () => {
  expect(autoscale({ ...nothing, requests: 6, meanInFlight: 6, serving: 1 }, scaling).start).toBe(0)
  expect(autoscale({ ...nothing, requests: 7, meanInFlight: 7, serving: 1 }, scaling).start).toBe(1)
  expect(autoscale({ ...nothing, requests: 0, meanInFlight: 30, serving: 1, idleMs: [5] }, scaling).start).toBe(0)
})

test('an instance that is not ready is replaced, within the maximum', () => {
  expect(autoscale({ ...nothing, requests: 1, unready: 1 }, scaling).start).toBe(1)
  expect(autoscale({ ...nothing, requests: 1, unready: 1 }, { ...scaling, max: 1 }).start).toBe(0)
})

test('manual scaling is a minimum and a maximum that are one', () => {
  expect(autoscale(nothing, { ...scaling, min: 3, max: 3 }).start).toBe(3)
  expect(autoscale({ ...nothing, requests: 500, serving: 3 }, { ...scaling, min: 3, max: 3 })).toMatchObject({ start: 0, stop: 0 })
  expect(autoscale({ ...nothing, serving: 5, idleMs: [1, 1, 1] }, { ...scaling, min: 3, max: 3 }).stop).toBe(2)
})

test('the mean weighs each value by how long it held, and forgets what is older than the window', () => {
  const mean = new WindowMean(60_000)
  mean.set(6, 0)
  mean.set(0, 30_000)
  expect(mean.mean(60_000)).toBeCloseTo(3, 5)
  for (let at = 61_000; at <= 130_000; at += 1000) mean.mean(at)
  expect(mean.mean(131_000)).toBe(0)
})

interface Hour {
  readonly maxRunning: number
  readonly minRunning: number
  readonly atEnd: number
  readonly starts: number
  readonly stops: number
  /** The longest that a request waited, in seconds. */
  readonly waitedS: number
  readonly running: readonly number[]
}

/**
 * Lives through `seconds` of a revision: requests arrive as `rate` says (a second's number), each takes `tookS`; an instance takes `startS` to
 * start. The autoscaler is asked each second, as the pool does, and whenever something waits.
 */
function simulate(
  of: Scaling,
  rate: (second: number) => number,
  { seconds = 3600, startS = 2, tookS = 1 }: { readonly seconds?: number; readonly startS?: number; readonly tookS?: number } = {},
): Hour {
  const mean = new WindowMean(Math.min(windowMs, of.idleMs))
  const most = new RecentMost(of.idleMs)
  let instances: { inFlight: number; idleSinceS: number }[] = []
  let starting: number[] = []
  const ends: { readonly atS: number; readonly instance: { inFlight: number; idleSinceS: number } }[] = []
  let waiting: number[] = []
  const running: number[] = []
  let starts = 0
  let stops = 0
  let waitedS = 0
  for (let second = 0; second < seconds; second += 1) {
    instances = [...instances, ...starting.filter((ready) => ready <= second).map(() => ({ inFlight: 0, idleSinceS: second }))]
    starting = starting.filter((ready) => ready > second)
    while ((ends[0]?.atS ?? Infinity) <= second) {
      const { instance } = ends.shift() as (typeof ends)[number]
      instance.inFlight -= 1
      if (instance.inFlight === 0) instance.idleSinceS = second
    }
    waiting.push(...Array.from({ length: rate(second) }, () => second))
    waiting = waiting.filter((since) => {
      const free = instances.filter(({ inFlight }) => inFlight < of.concurrency).toSorted((a, b) => b.inFlight - a.inFlight)[0]
      if (free === undefined) return true
      free.inFlight += 1
      ends.push({ atS: second + tookS, instance: free })
      waitedS = Math.max(waitedS, second - since)
      return false
    })
    const requests = waiting.length + ends.length
    mean.set(ends.length, second * 1000)
    const idle = instances.filter(({ inFlight }) => inFlight === 0).toSorted((a, b) => a.idleSinceS - b.idleSinceS)
    const plan = autoscale(
      {
        requests,
        meanInFlight: mean.mean(second * 1000),
        mostWanted: most.most(second * 1000),
        serving: instances.length,
        starting: starting.length,
        unready: 0,
        idleMs: idle.map(({ idleSinceS }) => (second - idleSinceS) * 1000),
      },
      of,
    )
    most.add(requests > 0 ? plan.wanted : 0, second * 1000)
    starting.push(...Array.from({ length: plan.start }, () => second + startS))
    starts += plan.start
    for (const gone of idle.slice(0, plan.stop)) instances.splice(instances.indexOf(gone), 1)
    stops += Math.min(plan.stop, idle.length)
    running.push(instances.length + starting.length)
  }
  return {
    maxRunning: Math.max(...running),
    minRunning: Math.min(...running.slice(startS)),
    atEnd: running.at(-1) ?? 0,
    starts,
    stops,
    waitedS,
    running,
  }
}

test('four hours of a ramp up and down: enough all the time, and nothing left fifteen minutes after', () => {
  const ramp = (second: number) => (second < 7200 ? Math.round(second / 60) : second < 9000 ? Math.round((9000 - second) / 15) : 0)
  const hours = simulate(scaling, ramp, { seconds: 14_400 })
  expect(hours.waitedS).toBeLessThanOrEqual(2) // no longer than a start takes
  expect(hours.maxRunning).toBeGreaterThanOrEqual(Math.floor(120 / 6))
  expect(hours.maxRunning).toBeLessThanOrEqual(120 / 6 + 2)
  expect(hours.atEnd).toBe(0)
  expect(hours.starts).toBe(hours.stops)
})

test('no flapping: bursts that come each ten minutes start their instances once', () => {
  const hours = simulate(scaling, (second) => (second % 600 < 20 ? 30 : 0), { seconds: 6 * 3600 })
  const settled = new Set(hours.running.slice(1800)) // the first burst finds nothing, waits, and gets more than the later ones need
  expect(settled.size).toBe(1)
  expect(hours.starts).toBe(hours.maxRunning)
})

test('a load that sways around a border starts and stops nothing once it has what it needs', () => {
  const sway = (second: number) => 6 + Math.round(2 * Math.sin(second / 100))
  const hours = simulate(scaling, sway, { seconds: 6 * 3600 })
  expect(new Set(hours.running.slice(1800)).size).toBe(1)
  expect(hours.starts).toBeLessThanOrEqual(3)
})

test('one request an hour: an instance for each, gone after fifteen minutes', () => {
  const hours = simulate(scaling, (second) => (second % 3600 === 0 ? 1 : 0), { seconds: 8 * 3600 })
  expect(hours).toMatchObject({ maxRunning: 1, starts: 8, stops: 8, atEnd: 0 })
  expect(hours.running.filter((count) => count > 0).length).toBeLessThan(8 * 910)
})

test('with random arrivals of a day: never above the maximum, never below the minimum', () => {
  let seed = 42
  const random = () => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31
  const hours = simulate({ ...scaling, min: 2, max: 7 }, () => (random() < 0.05 ? Math.round(random() * 120) : 0), {
    seconds: 24 * 3600,
    tookS: 3,
  })
  expect(hours.maxRunning).toBe(7)
  expect(hours.minRunning).toBeGreaterThanOrEqual(2)
})

test('a short idle limit is kept to: the window of the mean is no longer than it', () => {
  const hours = simulate({ ...scaling, idleMs: 5000 }, (second) => (second === 0 ? 1 : 0), { seconds: 60 })
  expect(hours.running.lastIndexOf(1)).toBeLessThanOrEqual(10)
})
