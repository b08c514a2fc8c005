import { mkdtempSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openCollection } from '../../src/state/collection.ts'
import { openState } from '../../src/state/state.ts'

const fresh = () => join(mkdtempSync(join(tmpdir(), 'devcloud-state-')), 'state')

test('what was acknowledged is there after the database is opened again', async () => {
  const directory = fresh()
  {
    await using state = openState(directory, [])
    await openCollection(state, 'secret').put('projects/p/secrets/s', '{"a":1}')
  }
  await using state = openState(directory, [])
  expect(openCollection(state, 'secret').get('projects/p/secrets/s')).toBe('{"a":1}')
  expect(statSync(directory).mode & 0o777).toBe(0o700)
})

test('a second daemon is refused and told why', async () => {
  const directory = fresh()
  await using _first = openState(directory, [])
  expect(() => openState(directory, [])).toThrow(expect.objectContaining({ fault: 'STATE_LOCKED' }))
})

test('a write that throws undoes only itself, though it shares a transaction', async () => {
  await using state = openState(fresh(), [])
  const secrets = openCollection(state, 'secret')
  const kept = secrets.put('a', '1')
  const failed = state.write((db) => {
    db.exec("INSERT INTO resources VALUES ('secret', 'b', '2')")
    throw new Error('no')
  })
  await expect(failed).rejects.toThrow('no')
  await kept
  expect(secrets.list('').map((row) => row.name)).toEqual(['a'])
})

test('a list stays below its parent, and a walk goes on behind a name', async () => {
  await using state = openState(fresh(), [])
  const secrets = openCollection(state, 'secret')
  await Promise.all(['p/a', 'p/b', 'p/c', 'q/a'].map((name) => secrets.put(name, '{}')))
  expect(secrets.list('p').map((row) => row.name)).toEqual(['p/a', 'p/b', 'p/c'])
  expect(Array.from(secrets.each('p', 'p/a'), (row) => row.name)).toEqual(['p/b', 'p/c'])
  expect(secrets.list('')).toHaveLength(4)
})
