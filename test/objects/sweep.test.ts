import { copyFileSync, mkdirSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { objectTables } from '../../src/objects/schema.ts'
import { openState } from '../../src/state/state.ts'
import { bytesOf, freshDirectory, givenStore } from './given-store.ts'

const large = Buffer.alloc(100_000, 'large ')

async function givenObjects(count: number): Promise<string> {
  const directory = freshDirectory()
  await using given = await givenStore(directory)
  for (let n = 0; n < count; n += 1) await given.put(`object ${n}`, large)
  return directory
}

test('F2: what a killed daemon left is swept: parts, and whole files that no row names', async () => {
  const directory = await givenObjects(2)
  writeFileSync(join(directory, 'objects', `${'a'.repeat(32)}.part`), 'half')
  writeFileSync(join(directory, 'objects', 'b'.repeat(32)), large)
  await using _given = await givenStore(directory)
  expect(readdirSync(join(directory, 'objects'))).toHaveLength(2)
})

test('F10: a database that was emptied sweeps nothing away: it is refused', async () => {
  const directory = await givenObjects(3)
  truncateSync(join(directory, 'state.db'), 0)
  await expect(givenStore(directory)).rejects.toMatchObject({ fault: 'STATE_UNKNOWN' })
  expect(readdirSync(join(directory, 'objects'))).toHaveLength(3)
})

test('a database of before there were numbers, emptied, is refused beside objects of its time', () => {
  const directory = freshDirectory()
  mkdirSync(join(directory, 'objects'), { recursive: true })
  writeFileSync(join(directory, 'objects', 'c'.repeat(32)), large)
  writeFileSync(join(directory, 'state.db'), '')
  expect(() => openState(directory, [objectTables])).toThrow(expect.objectContaining({ fault: 'STATE_UNKNOWN' }))
})

test('an older copy put in place of the database sweeps nothing away, nor does the daemon after it', async () => {
  const directory = await givenObjects(1)
  copyFileSync(join(directory, 'state.db'), join(directory, 'older'))
  {
    await using later = await givenStore(directory)
    await later.put('object made later', large)
  }
  copyFileSync(join(directory, 'older'), join(directory, 'state.db'))
  for (const name of ['first', 'second']) {
    await using given = await givenStore(directory)
    expect(readdirSync(join(directory, 'objects')), name).toHaveLength(2)
    expect(await bytesOf(given.store, given.store.object({ bucket: 'b', name: 'object 0', generation: undefined }))).toEqual(large)
  }
})

test('the database of another directory is refused', async () => {
  const [directory, other] = [await givenObjects(1), await givenObjects(1)]
  rmSync(join(directory, 'state.db'))
  copyFileSync(join(other, 'state.db'), join(directory, 'state.db'))
  await expect(givenStore(directory)).rejects.toMatchObject({ fault: 'STATE_UNKNOWN' })
  expect(readdirSync(join(directory, 'objects'))).toHaveLength(1)
})
