import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openState } from '../../src/state/state.ts'
import { containerLineTables, openContainerLog, type LoggedLine } from '../../src/telemetry/container-log.ts'

const line = (text: string, more: Partial<LoggedLine> = {}): LoggedLine => ({
  timeMs: 1,
  project: 'p',
  resource: 'cloud_run_job',
  owner: 'nightly',
  run: 'nightly-abcde',
  instance: '0/0',
  stream: 'stdout',
  text,
  ...more,
})

const directory = () => mkdtempSync(join(tmpdir(), 'devcloud-telemetry-'))

test('lines outlive the daemon, newest last, by job and by execution', async () => {
  const place = directory()
  {
    await using state = openState(place, [containerLineTables])
    await using log = openContainerLog(state)
    for (const text of ['a', 'b']) log.add(line(text))
    log.add(line('c', { run: 'nightly-fghij' }))
    log.add(line('d', { owner: 'weekly' }))
    expect(log.tail({ project: 'p' }, 10).length).toBe(4) // also before they are on disk
  }
  await using state = openState(place, [containerLineTables])
  await using log = openContainerLog(state)
  const texts = (filter: object, limit = 10) => log.tail({ project: 'p', ...filter }, limit).map(({ text }) => text)
  expect(texts({ owner: 'nightly' })).toEqual(['a', 'b', 'c'])
  expect(texts({ owner: 'nightly', run: 'nightly-abcde' }, 1)).toEqual(['b'])
  expect(log.tail({ project: 'other' }, 10)).toEqual([])
})

test('followers are told of what matches, until they go', async () => {
  await using state = openState(directory(), [containerLineTables])
  await using log = openContainerLog(state)
  const over = new AbortController()
  const told: string[] = []
  log.follow({ project: 'p', owner: 'nightly' }, ({ text }) => void told.push(text), over.signal)
  log.add(line('a'))
  log.add(line('b', { owner: 'weekly' }))
  over.abort()
  log.add(line('c'))
  expect(told).toEqual(['a'])
})

test("one container's lines can be forgotten, to be read again", async () => {
  await using state = openState(directory(), [containerLineTables])
  await using log = openContainerLog(state)
  log.add(line('half'))
  log.add(line('other task', { instance: '1/0' }))
  await log.forget(line(''))
  expect(log.tail({ project: 'p' }, 10).map(({ text }) => text)).toEqual(['other task'])
})

test('F44: the ring forgets the oldest lines beyond 64 MB, and cuts a line that is too long', async () => {
  await using state = openState(directory(), [containerLineTables])
  await using log = openContainerLog(state)
  for (let i = 0; i < 1100; i++) log.add(line('x'.repeat(70_000), { timeMs: i }))
  await log.flush()
  const kept = log.tail({ project: 'p' }, 10_000)
  expect(kept.at(-1)).toMatchObject({ timeMs: 1099, text: 'x'.repeat(64 << 10) })
  expect(kept[0]?.timeMs).toBeGreaterThan(0)
  expect(kept.reduce((sum, { text }) => sum + text.length, 0)).toBeLessThanOrEqual(64 << 20)
})
