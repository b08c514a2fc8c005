import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { openLog } from '../../../src/base/log.ts'
import { openObjectStore } from '../../../src/objects/object-store.ts'
import { objectTables } from '../../../src/objects/schema.ts'
import { openBucketFolder } from '../../../src/products/storage/bucket-folder.ts'
import { Buckets } from '../../../src/products/storage/buckets.ts'
import { Objects } from '../../../src/products/storage/objects.ts'
import { openState } from '../../../src/state/state.ts'

/** A bucket `b`; `open` gives its folder, `put` and `texts` are its objects. */
async function given() {
  const directory = mkdtempSync(join(tmpdir(), 'dc-bucket-'))
  const state = openState(directory, [objectTables])
  const store = await openObjectStore(state, systemClock)
  const buckets = new Buckets(store, systemClock, () => ({ id: 'p', number: '1' }))
  const objects = new Objects(store, buckets, systemClock)
  await buckets.insert('p', { name: 'bucket' }, { acl: undefined, defaultObjectAcl: undefined }, undefined)
  const all = async () => {
    const query = { prefix: '', delimiter: '', startOffset: '', endOffset: '', includeTrailingDelimiter: false, versions: false }
    return (await store.list('bucket', { ...query, limit: 1000, after: undefined, matches: () => true })).items
  }
  return {
    open: () => openBucketFolder({ store, objects, log: openLog(undefined) }, 'bucket', join(directory, 'buckets', 'bucket')),
    put: (name: string, text: string) =>
      objects.insert(
        { bucket: 'bucket', name, fields: {}, predefinedAcl: undefined, preconditions: {}, caller: undefined },
        Readable.from([Buffer.from(text)]),
        {},
      ),
    remove: (name: string) => objects.remove({ bucket: 'bucket', name, generation: undefined }, {}),
    async remakeBucket() {
      await store.removeBucket('bucket', {})
      return () => buckets.insert('p', { name: 'bucket' }, { acl: undefined, defaultObjectAcl: undefined }, undefined)
    },
    names: async () => (await all()).map(({ name }) => name),
    async text(name: string) {
      const object = store.findObject({ bucket: 'bucket', name, generation: undefined })
      if (object === undefined) return undefined
      const bytes = store.open(object, 0, object.sizeBytes - 1)
      return bytes instanceof Uint8Array ? Buffer.from(bytes).toString() : (await Array.fromAsync(bytes)).join('')
    },
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]()
      await state[Symbol.asyncDispose]()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

const soon = { timeout: 10_000 }

test('objects are files once it is open, and follow each other in both directions, folders and deletions too', async () => {
  await using at = await given()
  await at.put('a.txt', 'one')
  await at.put('deep/er/b.txt', 'two')
  await at.put('empty/', '')
  await using folder = await at.open()
  const path = (name: string) => join(folder.path, name)
  const read = (name: string) => (existsSync(path(name)) ? readFileSync(path(name), 'utf8') : undefined)
  expect([read('a.txt'), read('deep/er/b.txt'), readdirSync(path('empty'))]).toEqual(['one', 'two', []])
  await at.put('a.txt', 'three')
  await at.remove('deep/er/b.txt')
  await expect.poll(() => [read('a.txt'), existsSync(path('deep'))], soon).toEqual(['three', false])
  mkdirSync(path('up/loads'), { recursive: true })
  writeFileSync(path('up/loads/c.bin'), 'x'.repeat(300_000))
  writeFileSync(path('zero'), '')
  await expect.poll(at.names, soon).toEqual(['a.txt', 'empty/', 'up/loads/c.bin', 'zero'])
  expect((await at.text('up/loads/c.bin'))?.length).toBe(300_000)
  writeFileSync(path('a.txt'), 'four from inside')
  rmSync(path('zero'))
  await expect
    .poll(async () => [(await at.names()).join(' '), await at.text('a.txt')], soon)
    .toEqual(['a.txt empty/ up/loads/c.bin', 'four from inside'])
})

test('what changed while nobody looked is told apart: deletions and news of both sides', async () => {
  await using at = await given()
  for (const name of ['kept', 'file-gone', 'object-gone', 'file-new', 'object-new']) await at.put(name, name)
  const first = await at.open()
  const path = (name: string) => join(first.path, name)
  await first[Symbol.asyncDispose]()
  rmSync(path('file-gone'))
  await at.remove('object-gone')
  writeFileSync(path('file-new'), 'newer text')
  await at.put('object-new', 'newer object')
  writeFileSync(path('only-file'), 'x')
  await using _second = await at.open()
  await expect.poll(at.names, soon).toEqual(['file-new', 'kept', 'object-new', 'only-file'])
  await expect.poll(() => readdirSync(first.path).toSorted(), soon).toEqual(['file-new', 'kept', 'object-new', 'only-file'])
  expect([await at.text('file-new'), readFileSync(path('object-new'), 'utf8')]).toEqual(['newer text', 'newer object'])
})

test('a bucket that is made again under the name of one that is gone inherits no file of it, over a restart too', async () => {
  await using at = await given()
  await at.put('old', 'x')
  const folder = await at.open()
  await at.remove('old')
  await expect.poll(() => readdirSync(folder.path), soon).toEqual([])
  const make = await at.remakeBucket()
  writeFileSync(join(folder.path, 'late'), 'of nobody')
  await make()
  await at.put('new', 'y')
  await expect.poll(() => readdirSync(folder.path), soon).toEqual(['new'])
  await folder[Symbol.asyncDispose]()
  writeFileSync(join(folder.path, 'later'), 'of nobody')
  await at.remove('new')
  await (
    await at.remakeBucket()
  )()
  await using _again = await at.open()
  expect([readdirSync(folder.path), await at.names()]).toEqual([[], []])
})

test('S22: links lead nowhere: nothing outside the folder is read or written', async () => {
  await using at = await given()
  const outside = mkdtempSync(join(tmpdir(), 'dc-outside-'))
  writeFileSync(join(outside, 'secret'), 'canary')
  await using folder = await at.open()
  symlinkSync(outside, join(folder.path, 'dir'))
  symlinkSync(join(outside, 'secret'), join(folder.path, 'link'))
  await at.put('dir/secret', 'overwritten')
  await at.put('dir/new', 'x')
  await at.put('../escaped', 'x')
  await at.put('plain', 'x')
  await expect.poll(() => existsSync(join(folder.path, 'plain')), soon).toBe(true)
  await new Promise((resolve) => setTimeout(resolve, 1500))
  expect([readFileSync(join(outside, 'secret'), 'utf8'), readdirSync(outside)]).toEqual(['canary', ['secret']])
  expect(await at.names()).toEqual(['../escaped', 'dir/new', 'dir/secret', 'plain'])
  expect(existsSync(join(folder.path, '../escaped'))).toBe(false)
  rmSync(outside, { recursive: true })
})

test('F54: in a folder in step with a bucket, links in circles, sockets and pipes are no objects, and nothing hangs', async () => {
  await using at = await given()
  await using folder = await at.open()
  symlinkSync('circle', join(folder.path, 'circle'))
  mkdirSync(join(folder.path, 'in'))
  symlinkSync('..', join(folder.path, 'in/up'))
  execFileSync('mkfifo', [join(folder.path, 'pipe')])
  await using server = net.createServer().listen(join(folder.path, 's'))
  await new Promise((resolve) => server.once('listening', resolve))
  writeFileSync(join(folder.path, 'a\nname'), 'x')
  writeFileSync(Buffer.concat([Buffer.from(join(folder.path, 'not-utf8-')), Buffer.from([0xff])]), 'x')
  writeFileSync(join(folder.path, 'in/plain'), 'x')
  await expect.poll(at.names, soon).toContain('in/plain')
  await new Promise((resolve) => setTimeout(resolve, 1500))
  expect((await at.names()).filter((name) => /circle|up|pipe|^s$|not-utf8|\n/.test(name))).toEqual([])
  await at.put('later', 'x')
  await expect.poll(() => existsSync(join(folder.path, 'later')), soon).toBe(true)
})
