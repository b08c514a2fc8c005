import { expect, test } from 'vitest'
import { givenStorage } from './given-storage.ts'

const day = 86_400_000

/** Storage by a clock that the test sets. */
async function givenClock() {
  const clock = { at: Date.parse('2026-01-01T00:00:00Z') }
  const given = await givenStorage({ clock: { nowMs: () => clock.at, ticksMs: () => 0 } })
  const ask = async (verb: string, path: string, body?: unknown) => {
    const answer = await given.send(verb, `/storage/v1/${path}`, body === undefined ? {} : { body: JSON.stringify(body) })
    return { status: answer.status, body: (answer.text === '' ? {} : answer.json()) as Record<string, never> }
  }
  return {
    clock,
    ask,
    put: async (name: string, bucket = 'bucket') =>
      (await given.send('POST', `/upload/storage/v1/b/${bucket}/o?uploadType=media&name=${name}`, { body: 'x' })).status,
    time: (ms: number) => new Date(clock.at + ms).toISOString(),
    [Symbol.asyncDispose]: () => given[Symbol.asyncDispose](),
  }
}

test('F41: generations grow and overwrites succeed, however the clock steps', async () => {
  await using given = await givenClock()
  const { clock, ask, put } = given
  let last = 0
  for (const stepMs of [0, -5000, 3_600_000, -3_600_000, day, -day, -30 * day, 0, 200 * 365 * day, -200 * 365 * day]) {
    clock.at += stepMs
    expect([stepMs, await put('o')]).toEqual([stepMs, 200])
    const { body } = await ask('GET', 'b/bucket/o/o')
    const generation = Number(body['generation'])
    expect(generation).toBeGreaterThan(last)
    expect(Number.isSafeInteger(generation)).toBe(true)
    last = generation
    clock.at -= 1000
    const patched = (await ask('PATCH', 'b/bucket/o/o', { metadata: { step: `${stepMs}` } })).body
    expect(Date.parse(patched['updated'] ?? '')).toBeGreaterThanOrEqual(Date.parse(patched['timeCreated'] ?? ''))
  }
  expect((await ask('DELETE', 'b/bucket/o/o')).status).toBe(204)
})

test('F41: retention lasts longer by a step back, and shorter by one forward', async () => {
  await using given = await givenClock()
  const { clock, ask, put } = given
  await ask('PATCH', 'b/bucket', { retentionPolicy: { retentionPeriod: 3600 } })
  await put('o')
  clock.at -= day
  expect(await put('o')).toBe(403)
  expect(await put('new')).toBe(200)
  clock.at += day + 3_599_000
  expect(await put('o')).toBe(403)
  expect(await put('new')).toBe(200)
  clock.at += 1000
  expect(await put('o')).toBe(200)
})

test('a locked retention policy grows, and never shrinks or goes', async () => {
  await using given = await givenClock()
  const { ask, time } = given
  const set = (retentionPeriod: number | null) =>
    ask('PATCH', 'b/bucket', { retentionPolicy: retentionPeriod === null ? null : { retentionPeriod } })
  expect((await ask('POST', 'b/bucket/lockRetentionPolicy?ifMetagenerationMatch=1')).status).toBe(400)
  expect((await set(60)).body['retentionPolicy']).toEqual({ retentionPeriod: '60', effectiveTime: time(0) })
  expect((await set(30)).status).toBe(200)
  expect((await ask('POST', 'b/bucket/lockRetentionPolicy')).status).toBe(400)
  expect((await ask('POST', 'b/bucket/lockRetentionPolicy?ifMetagenerationMatch=1')).status).toBe(412)
  const locked = await ask('POST', 'b/bucket/lockRetentionPolicy?ifMetagenerationMatch=3')
  expect(locked.body['retentionPolicy']).toEqual({ retentionPeriod: '30', effectiveTime: time(0), isLocked: true })
  for (const period of [29, null]) expect((await set(period)).status).toBe(403)
  expect((await ask('PUT', 'b/bucket', { labels: {} })).status).toBe(403)
  expect((await set(31)).body['retentionPolicy']).toMatchObject({ retentionPeriod: '31', isLocked: true })
  expect((await ask('PATCH', 'b/bucket', { retentionPolicy: { isLocked: false } })).body['retentionPolicy']).toMatchObject({
    isLocked: true,
  })
})

test('when an object may go is told; an event-based hold has no end, and its release begins the period anew', async () => {
  await using given = await givenClock()
  const { clock, ask, put, time } = given
  await ask('PATCH', 'b/bucket', { retentionPolicy: { retentionPeriod: 100 }, defaultEventBasedHold: true })
  await put('o')
  const told = async () => (await ask('GET', 'b/bucket/o/o')).body['retentionExpirationTime']
  expect(await told()).toBeUndefined()
  clock.at += 500_000
  expect(await put('o')).toBe(403)
  await ask('PATCH', 'b/bucket/o/o', { eventBasedHold: false })
  expect(await told()).toBe(time(100_000))
  clock.at += 99_999
  expect((await ask('DELETE', 'b/bucket/o/o')).status).toBe(403)
  clock.at += 1
  expect((await ask('DELETE', 'b/bucket/o/o')).status).toBe(204)
  await put('p')
  await ask('PATCH', 'b/bucket/o/p', { eventBasedHold: false })
  expect((await ask('POST', 'b/bucket/o/p/copyTo/b/bucket/o/q')).body).toMatchObject({ eventBasedHold: true }) // the bucket's default, not the source's
})

test('a retention of an object is set where the bucket allows it, and weakened only unlocked and on purpose', async () => {
  await using given = await givenClock()
  const { clock, ask, put, time } = given
  await put('o')
  const retention = (mode: string, ms: number) => ({ retention: { mode, retainUntilTime: time(ms) } })
  expect((await ask('PATCH', 'b/bucket/o/o', retention('Unlocked', day))).status).toBe(400)
  await ask('POST', 'b?project=demo&enableObjectRetention=true', { name: 'retained' })
  expect((await ask('GET', 'b/retained')).body['objectRetention']).toEqual({ mode: 'Enabled' })
  expect((await ask('PATCH', 'b/retained', { objectRetention: null })).status).toBe(400)
  await put('o', 'retained')
  const set = (fields: object, query = '') => ask('PATCH', `b/retained/o/o${query}`, fields)
  const override = '?overrideUnlockedRetention=true'
  const wrong = [
    retention('Unlocked', -1), retention('Unlocked', 101 * 365.25 * day), retention('Maybe', day), { retention: { mode: 'Locked' } },
    { retention: { retainUntilTime: time(day) } }, { retention: { mode: 'Unlocked', retainUntilTime: 'tomorrow' } },
  ] // prettier-ignore
  for (const fields of wrong) expect([fields, (await set(fields)).status]).toEqual([fields, 400])
  expect((await set(retention('Unlocked', day))).body).toMatchObject({ ...retention('Unlocked', day), retentionExpirationTime: time(day) })
  expect((await set(retention('Unlocked', 2 * day))).status).toBe(200)
  expect((await set(retention('Unlocked', day))).status).toBe(403)
  expect((await set({ retention: null })).status).toBe(403)
  expect((await set({ retention: null }, override)).status).toBe(200)
  await set(retention('Unlocked', day))
  expect((await set(retention('Locked', day))).status).toBe(403)
  expect((await set(retention('Locked', day), override)).status).toBe(200)
  for (const fields of [retention('Locked', 1000), retention('Unlocked', 2 * day), { retention: null }])
    expect([fields, (await set(fields, override)).status]).toEqual([fields, 403])
  expect((await set(retention('Locked', 2 * day))).status).toBe(200)
  expect(await put('o', 'retained')).toBe(403)
  clock.at += 2 * day
  expect(await put('o', 'retained')).toBe(200)
})
