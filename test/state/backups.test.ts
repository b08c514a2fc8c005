import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { listBackups } from '../../src/state/backups.ts'
import { openCollection } from '../../src/state/collection.ts'
import { backUpWhenDue } from '../../src/state/keep-backups.ts'
import { openState } from '../../src/state/state.ts'
import { freshDirectory } from './given-state.ts'

const dayMs = 86_400_000
const limitBytes = 64 << 20
const later = (ms: number) => ({ ...systemClock, nowMs: () => Date.now() + ms })

test('a copy that is made while rows are written is whole, and has each row that was acknowledged before it began', async () => {
  await using state = openState(freshDirectory(), [])
  const rows = openCollection(state, 'k')
  await Promise.all(Array.from({ length: 5000 }, (_, n) => rows.put(`before ${n}`, 'x'.repeat(200))))
  const writing = Promise.all(Array.from({ length: 100 }, (_, n) => rows.put(`during ${n}`, 'y'.repeat(200))))
  await backUpWhenDue(state, systemClock, limitBytes)
  await writing
  const [copy] = listBackups(state.directory)
  using db = new DatabaseSync(copy?.path ?? '', { readOnly: true })
  expect(db.prepare('PRAGMA integrity_check').all()).toEqual([{ integrity_check: 'ok' }])
  expect(db.prepare("SELECT count(*) AS n FROM resources WHERE name >= 'before' AND name < 'c'").get()).toEqual({ n: 5000 })
})

test('a database above the limit is not copied while requests are served', async () => {
  await using state = openState(freshDirectory(), [])
  await backUpWhenDue(state, systemClock, 4096)
  expect(listBackups(state.directory)).toEqual([])
})

test('there is a copy of today, no more than three, and a clock that is set back by days does not end that', async () => {
  await using state = openState(freshDirectory(), [])
  await backUpWhenDue(state, systemClock, limitBytes)
  await backUpWhenDue(state, systemClock, limitBytes)
  expect(listBackups(state.directory)).toHaveLength(1)
  for (const days of [2, 4, 6, -5]) {
    const before = listBackups(state.directory).map(({ path }) => path)
    await backUpWhenDue(state, later(days * dayMs), limitBytes)
    expect(listBackups(state.directory).some(({ path }) => !before.includes(path))).toBe(true)
  }
  expect(listBackups(state.directory)).toHaveLength(3)
})
