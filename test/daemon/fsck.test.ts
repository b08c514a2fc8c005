import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { fsck, type FsckReport } from '../../src/daemon/fsck/fsck.ts'
import { schema } from '../../src/daemon/schema.ts'
import { openObjectStore, type ObjectStore } from '../../src/objects/object-store.ts'
import { systemClock } from '../../src/base/clock.ts'
import { takeBackup } from '../../src/state/backups.ts'
import { openCollection } from '../../src/state/collection.ts'
import { openState } from '../../src/state/state.ts'
import { givenCli } from '../cli/given-cli.ts'
import { bytesOf, inChunks } from '../objects/given-store.ts'
import { contentsOf, fixtureNames, freshDirectory, givenFixture } from '../state/given-state.ts'

const large = Buffer.alloc(100_000, 'large ')

/** A state directory with two large objects, a small one, and one made of two others. */
async function givenObjects(): Promise<string> {
  const directory = freshDirectory()
  await using state = openState(directory, schema)
  await using store = await openObjectStore(state, systemClock)
  await store.createBucket({ name: 'b', project: 'p', versioned: false, attributes: '{}' })
  await put(store, 'small', Buffer.from('small bytes'))
  await put(store, 'one', large)
  await put(store, 'two', Buffer.alloc(50_000, 'two '))
  return directory
}

async function put(store: ObjectStore, name: string, bytes: Buffer): Promise<void> {
  const content = await store.stage(inChunks(bytes))
  await store.put({ bucket: 'b', name, content, attributes: '{}', preconditions: {} })
}

/** The file of an object. */
async function fileOf(directory: string, sizeBytes: number): Promise<string> {
  const folder = join(directory, 'objects')
  const found = readdirSync(folder).find((file) => statSync(join(folder, file)).size === sizeBytes)
  return join(folder, found ?? '')
}

const told = ({ faults }: FsckReport) => faults.map(({ kind, what, why }) => `${kind} ${what}: ${why}`)

test.each(fixtureNames)('a kept state of %s is in order, and a check changes nothing', async (name) => {
  const directory = givenFixture(name)
  const before = contentsOf(directory)
  expect(await fsck(directory, false)).toMatchObject({ faults: [], isRepaired: false })
  expect(contentsOf(directory)).toEqual(before)
})

test('every kind of damage to objects is named, and a repair takes out what is lost, deletes nothing, and leaves the rest whole', async () => {
  const directory = await givenObjects()
  const one = await fileOf(directory, large.length)
  const bytes = readFileSync(one)
  const two = await fileOf(directory, 50_000)
  truncateSync(two, 49_999)
  bytes[70_000] = 0
  writeFileSync(one, bytes)
  writeFileSync(join(directory, 'objects', 'f'.repeat(32)), 'nobody has me')
  writeFileSync(join(directory, 'objects', `${'e'.repeat(32)}.part`), 'half')
  {
    await using state = openState(directory, schema)
    await state.write((db) => {
      db.exec("INSERT INTO object_uploads VALUES ('u', 1, 'half', 'open', 'gone', 262144, '{}', NULL, 0)")
      db.exec('UPDATE object_blobs SET refs = 7 WHERE file IS NULL')
      db.exec("INSERT INTO resources VALUES ('run.service', 'projects/p/locations/l/services/s', '{ half a row')")
    })
  }
  const before = contentsOf(directory)
  const report = await fsck(directory, false)
  expect(told(report).toSorted()).toEqual([
    expect.stringMatching(/^count bytes 1: 1 objects have it, not 7$/),
    expect.stringMatching(/^object gs:\/\/b\/one#\d+: its bytes are not those that were stored: the checksum differs$/),
    expect.stringMatching(/^object gs:\/\/b\/two#\d+: its file [0-9a-f]+ has 49999 of 50000 bytes$/),
    expect.stringMatching(/^orphan objects\/e+\.part: a part of an upload that broke off$/),
    expect.stringMatching(/^orphan objects\/f+: no object has it$/),
    expect.stringMatching(/^row run.service projects\/p\/locations\/l\/services\/s: .*cannot be read/),
    expect.stringMatching(/^upload upload of half: its file gone is gone$/),
  ])
  expect(contentsOf(directory)).toEqual(before)

  const repaired = await fsck(directory, true)
  expect(repaired).toMatchObject({ isRepaired: true, lost: expect.stringContaining('lost/') })
  expect(readdirSync(join(repaired.lost ?? '', 'objects'))).toHaveLength(4)
  const rows = readFileSync(join(repaired.lost ?? '', 'rows.jsonl'), 'utf8')
  for (const kept of ['"name":"one"', '"name":"two"', '{ half a row', '"id":"u"']) expect(rows.replaceAll('\\', '')).toContain(kept)
  expect((await fsck(directory, false)).faults).toEqual([])
  await using state = openState(directory, schema)
  await using store = await openObjectStore(state, systemClock)
  expect((await bytesOf(store, store.object({ bucket: 'b', name: 'small', generation: undefined }))).toString()).toBe('small bytes')
  expect(() => store.object({ bucket: 'b', name: 'one', generation: undefined })).toThrow(
    expect.objectContaining({ fault: 'OBJECT_NOT_FOUND' }),
  )
})

test('a blob that is gone or cut is named when it is read; the other objects answer', async () => {
  const directory = await givenObjects()
  rmSync(await fileOf(directory, large.length))
  truncateSync(await fileOf(directory, 50_000), 10)
  await using state = openState(directory, schema)
  await using store = await openObjectStore(state, systemClock)
  const read = (name: string) => bytesOf(store, store.object({ bucket: 'b', name, generation: undefined }))
  await expect(read('one')).rejects.toMatchObject({
    fault: 'BLOB_GONE',
    message: expect.stringMatching(/objects\/[0-9a-f]{32} is missing/),
  })
  await expect(read('two')).rejects.toMatchObject({ fault: 'BLOB_GONE', message: expect.stringContaining('has 10 of 50000 bytes') })
  expect((await read('small')).toString()).toBe('small bytes')
})

test('F10: a damaged or emptied database is replaced by the newest good backup, which then sweeps nothing', async () => {
  for (const damage of [
    (path: string) => truncateSync(path, 0),
    (path: string) => truncateSync(path, 5000),
    (path: string) => rmSync(path),
  ]) {
    const directory = await givenObjects()
    {
      await using state = openState(directory, schema)
      takeBackup(state.db, directory, systemClock.nowMs())
      await using store = await openObjectStore(state, systemClock)
      await put(store, 'after the backup', Buffer.alloc(60_000, 'after '))
    }
    damage(join(directory, 'state.db'))
    const report = await fsck(directory, false)
    expect(report.faults).toMatchObject([{ kind: 'database', repair: expect.stringContaining('the backup of 20') }])
    expect(report.backups).toHaveLength(1)
    const repaired = await fsck(directory, true)
    expect(repaired.faults.map(({ kind }) => kind)).toEqual(['database', 'database', 'orphan'])
    expect((await fsck(directory, false)).faults).toEqual([])
    await using state = openState(directory, schema)
    await using store = await openObjectStore(state, systemClock)
    expect(await bytesOf(store, store.object({ bucket: 'b', name: 'one', generation: undefined }))).toEqual(large)
    expect(readdirSync(join(directory, 'objects'))).toHaveLength(2)
    expect(readdirSync(join(repaired.lost ?? '', 'objects'))).toHaveLength(1) // what the backup did not know
  }
})

test('F10: without a backup everything is kept in lost/, and the next start begins anew', async () => {
  const directory = await givenObjects()
  truncateSync(join(directory, 'state.db'), 0)
  const { lost = '' } = await fsck(directory, true)
  expect(readdirSync(join(lost, 'objects'))).toHaveLength(2)
  await using state = openState(directory, schema)
  expect(openCollection(state, 'project').list('')).toEqual([])
})

test('devcloud fsck works while the daemon cannot start, and not beside one that runs', async () => {
  await using cli = givenCli()
  expect(await cli.run(['fsck'])).toMatchObject({ code: 0, stdout: expect.stringContaining('is in order') })
  expect(existsSync(join(cli.stateDirectory, 'state.db'))).toBe(false)
  await cli.run(['daemon', 'start'])
  expect(await cli.run(['fsck'])).toMatchObject({ code: 4, stderr: expect.stringContaining('devcloud daemon stop') })
  await cli.run(['daemon', 'stop'])
  const path = join(cli.stateDirectory, 'state.db')
  const file = openSync(path, 'r+')
  writeSync(file, Buffer.alloc(4096, 0xab), 0, 4096, 2 * 4096)
  closeSync(file)
  const start = await cli.run(['daemon', 'start', '--json'])
  expect(JSON.parse(start.stdout.trim().split('\n').at(-1) ?? '')).toMatchObject({
    error: { fault: 'STATE_DAMAGED', next: expect.stringContaining('devcloud fsck') },
  })
  expect(await cli.run(['fsck'])).toMatchObject({ code: 1, stdout: expect.stringContaining('devcloud fsck --repair') })
  expect(await cli.run(['fsck', '--repair'])).toMatchObject({ code: 0, stdout: expect.stringContaining('mended') })
  expect(await cli.run(['daemon', 'start'])).toMatchObject({ code: 0 })
})
