import { closeSync, openSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openCollection } from '../../src/state/collection.ts'
import { openState } from '../../src/state/state.ts'
import { contentsOf, freshDirectory } from './given-state.ts'

/** A directory whose database has a few hundred rows, all in the database's file. */
async function givenRows(): Promise<string> {
  const directory = freshDirectory()
  await using state = openState(directory, [])
  const rows = openCollection(state, 'k')
  await Promise.all(Array.from({ length: 500 }, (_, n) => rows.put(`row ${n}`, 'x'.repeat(200))))
  return directory
}

const damages: readonly (readonly [what: string, damage: (path: string) => void])[] = [
  [
    'a page is overwritten',
    (path) => {
      const file = openSync(path, 'r+')
      writeSync(file, Buffer.alloc(4096, 0xab), 0, 4096, 3 * 4096)
      closeSync(file)
    },
  ],
  ['the end is cut off', (path) => truncateSync(path, statSync(path).size - 8192)],
  ['the beginning is overwritten', (path) => writeFileSync(path, Buffer.concat([Buffer.alloc(4096), readFileSync(path).subarray(4096)]))],
]

test.each(damages)('F10: a database of which %s is refused, kept, and the newest good copy is offered', async (_, damage) => {
  const directory = await givenRows()
  await openState(directory, [{ name: 'next', run: () => {} }])[Symbol.asyncDispose]() // an upgrade, which leaves a copy
  damage(join(directory, 'state.db'))
  const before = contentsOf(directory)
  expect(() => openState(directory, [{ name: 'next', run: () => {} }])).toThrow(
    expect.objectContaining({
      fault: 'STATE_DAMAGED',
      evidence: [expect.stringMatching(/^newest good backup: .*backups\/state-.*\.db of 20/)],
      next: expect.stringContaining('devcloud fsck --repair'),
    }),
  )
  expect(contentsOf(directory)).toEqual(before)
})

test.each([
  ['is of zero bytes', (path: string) => truncateSync(path, 0)],
  ['is gone', (path: string) => rmSync(path)],
])('F10: a database that %s is refused, for its directory is not a new one', async (_, damage) => {
  const directory = await givenRows()
  damage(join(directory, 'state.db'))
  const before = contentsOf(directory)
  expect(() => openState(directory, [])).toThrow(expect.objectContaining({ fault: 'STATE_UNKNOWN', next: 'devcloud fsck' }))
  expect(contentsOf(directory)).toEqual(before)
})
