import { createHash, randomBytes } from 'node:crypto'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { crc32c } from '../../src/base/crc32c.ts'
import { combineCrc32c } from '../../src/objects/running-sums.ts'
import { bytesOf, freshDirectory, givenStore, inChunks } from './given-store.ts'

test('small and large bodies read back whole and in part, with their sums', async () => {
  await using given = await givenStore()
  for (const size of [0, 1, 1024, 32 << 10, (32 << 10) + 1, 3_000_000]) {
    const data = randomBytes(size)
    const object = await given.put(`n${size}`, data)
    expect(object.sizeBytes).toBe(size)
    expect(object.crc32c).toBe(crc32c(data))
    expect(Buffer.from(object.md5 ?? [])).toEqual(createHash('md5').update(data).digest())
    expect((await bytesOf(given.store, object)).equals(data)).toBe(true)
    if (size > 100) expect(await bytesOf(given.store, object, 10, 19)).toEqual(data.subarray(10, 20))
  }
})

test('storage trap 12: of 64 parallel creations one wins and the others fail', async () => {
  await using given = await givenStore()
  const results = await Promise.allSettled(Array.from({ length: 64 }, (_, n) => given.put('x', `${n}`, { ifGenerationMatch: 0 })))
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  for (const result of results) if (result.status === 'rejected') expect(result.reason).toMatchObject({ fault: 'CONDITION_NOT_MET' })
})

test('generations grow even when the clock stands still or goes back over a restart', async () => {
  const directory = freshDirectory()
  let last = 0
  for (const nowMs of [2_000_000, 1_000_000]) {
    await using given = await givenStore(directory, { nowMs: () => nowMs, ticksMs: () => 0 })
    for (let n = 0; n < 3; n += 1) {
      const { generation } = await given.put('x', 'y')
      expect(generation).toBeGreaterThan(last)
      last = generation
    }
  }
})

test('a replaced large object leaves no file, and its reader still gets every byte', async () => {
  await using given = await givenStore()
  const data = randomBytes(2_000_000)
  const first = await given.put('x', data)
  const reading = given.store.open(first, 0, first.sizeBytes - 1)
  await given.put('x', 'small')
  if (reading instanceof Uint8Array) throw new Error('a stream was expected')
  expect(Buffer.concat(await reading.toArray()).equals(data)).toBe(true)
  await expect.poll(() => readdirSync(join(given.directory, 'objects'))).toEqual([])
})

test('files that no row names are swept at the start, and those that one names stay', async () => {
  const directory = freshDirectory()
  const data = randomBytes(100_000)
  {
    await using given = await givenStore(directory)
    await given.put('x', data)
  }
  writeFileSync(join(directory, 'objects', 'orphan.part'), 'half')
  await using given = await givenStore(directory)
  expect(readdirSync(join(directory, 'objects'))).toHaveLength(1)
  const object = given.store.object({ bucket: 'b', name: 'x', generation: undefined })
  expect((await bytesOf(given.store, object)).equals(data)).toBe(true)
})

test('content of several objects is shared, not copied, and outlives them', async () => {
  await using given = await givenStore()
  const parts = [Buffer.from('one'), randomBytes(100_000), Buffer.from('three')]
  const objects = await Promise.all(parts.map((part, n) => given.put(`p${n}`, part)))
  const sum = objects.slice(1).reduce((crc, part) => combineCrc32c(crc, part.crc32c, part.sizeBytes), objects[0]?.crc32c ?? 0)
  const whole = await given.store.put({
    bucket: 'b',
    name: 'whole',
    attributes: '{}',
    preconditions: {},
    content: {
      sizeBytes: Buffer.concat(parts).length,
      crc32c: sum,
      md5: undefined,
      componentCount: 3,
      bytes: { kind: 'blobs', ids: objects.flatMap(({ blobs }) => blobs) },
    },
  })
  for (const { name } of objects) await given.store.remove({ bucket: 'b', name, generation: undefined }, {})
  expect(crc32c(Buffer.concat(parts))).toBe(sum)
  expect((await bytesOf(given.store, whole)).equals(Buffer.concat(parts))).toBe(true)
  expect(await bytesOf(given.store, whole, 1, 5)).toEqual(Buffer.concat(parts).subarray(1, 6))
})

test('storage trap 35: deleting in a versioned bucket keeps the generation until it is deleted by number', async () => {
  await using given = await givenStore(freshDirectory(), undefined, true)
  const { generation } = await given.put('x', 'old')
  await given.store.remove({ bucket: 'b', name: 'x', generation: undefined }, {})
  expect(given.store.findObject({ bucket: 'b', name: 'x', generation: undefined })).toBeUndefined()
  const old = given.store.object({ bucket: 'b', name: 'x', generation })
  expect((await bytesOf(given.store, old)).toString()).toBe('old')
  await expect(given.store.removeBucket('b', {})).rejects.toMatchObject({ fault: 'BUCKET_NOT_EMPTY' })
  await given.store.remove({ bucket: 'b', name: 'x', generation }, {})
  await given.store.removeBucket('b', {})
})

test('a body that breaks off leaves nothing', async () => {
  await using given = await givenStore()
  const broken = async function* () {
    yield* inChunks(randomBytes(1_000_000))
    throw new Error('gone')
  }
  await expect(given.store.stage(broken())).rejects.toThrow('gone')
  expect(readdirSync(join(given.directory, 'objects'))).toEqual([])
})

test('an upload goes on after a restart where it stopped', async () => {
  const directory = freshDirectory()
  const data = randomBytes(600_000)
  const cut = 512 << 10
  let id: string
  {
    await using given = await givenStore(directory)
    const { uploads } = given.store
    const upload = await uploads.start(1, 'x', '{}')
    id = upload.id
    const breaking = async function* () {
      yield data.subarray(0, 530_000)
      throw new Error('gone')
    }
    await expect(uploads.append(upload, breaking(), true)).rejects.toThrow('gone')
  }
  await using given = await givenStore(directory)
  const { uploads } = given.store
  expect(uploads.get(id).receivedBytes).toBe(cut)
  const upload = await uploads.append(uploads.get(id), inChunks(data.subarray(cut)), true)
  const content = await uploads.content(upload)
  const object = await given.store.put({
    bucket: 'b',
    name: 'x',
    attributes: '{}',
    preconditions: {},
    content,
    also: () => uploads.complete(id, 'done'),
  })
  expect(object.crc32c).toBe(crc32c(data))
  expect((await bytesOf(given.store, object)).equals(data)).toBe(true)
  expect(uploads.get(id)).toMatchObject({ state: 'complete', result: 'done' })
})
