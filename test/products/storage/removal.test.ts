import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { localUser } from '../../../src/api/caller.ts'
import { givenStorage, type GivenStorage } from './given-storage.ts'

test('a project goes with all that it has: retained, held and old generations, half-made uploads, folders', async () => {
  await using given = await givenStorage()
  const { bucket, client, product, directory } = given
  await bucket.setMetadata({ versioning: { enabled: true }, retentionPolicy: { retentionPeriod: 3600 } })
  await bucket.file('large').save(Buffer.alloc(100_000))
  await bucket.file('held').save('x')
  await bucket.file('held').setMetadata({ temporaryHold: true })
  await beginUpload(given)
  await client.createBucket('other')
  for (let at = 0; at < 20; at += 1) await client.bucket('other').file('same').save(`${at}`)
  const folder = await product.folder(localUser, 'other', false)
  await expect(bucket.file('held').delete()).rejects.toMatchObject({ code: 403 })
  await product.removeProject('demo')
  expect((await client.getBuckets())[0]).toEqual([])
  expect(existsSync(folder)).toBe(false)
  expect(readdirSync(join(directory, 'objects'))).toEqual([])
  expect(rowsOf(given)).toEqual({ object_buckets: 0, object_live: 0, object_noncurrent: 0, object_blobs: 0, object_uploads: 0 })
})

test('a bucket that is made again inherits nothing: no policy, no list, no upload, no metageneration', async () => {
  await using given = await givenStorage()
  const { bucket, send } = given
  await bucket.setMetadata({ labels: { a: 'b' }, versioning: { enabled: true } })
  await bucket.acl.add({ entity: 'allUsers', role: 'READER' })
  await bucket.iam.setPolicy({ bindings: [{ role: 'roles/storage.objectViewer', members: ['allUsers'] }] })
  const upload = await beginUpload(given)
  await bucket.delete()
  expect(rowsOf(given)['object_uploads']).toBe(0)
  expect(readdirSync(join(given.directory, 'objects'))).toEqual([])
  await bucket.create()
  expect((await send('PUT', upload, { body: 'late' })).status).toBe(404)
  const [metadata] = await bucket.getMetadata({ projection: 'full' })
  expect(metadata).toMatchObject({ metageneration: '1' })
  expect(metadata.labels).toBeUndefined()
  expect(JSON.stringify(metadata)).not.toContain('allUsers')
  expect(JSON.stringify(await bucket.iam.getPolicy())).not.toContain('allUsers')
})

/** Answers path and query of a session with its first 256 KiB. */
async function beginUpload({ send }: GivenStorage): Promise<string> {
  const begun = await send('POST', '/upload/storage/v1/b/bucket/o?uploadType=resumable&name=half')
  const { pathname, search } = new URL(begun.headers.location ?? '')
  const chunk = await send('PUT', pathname + search, { headers: { 'content-range': 'bytes 0-262143/*' }, body: Buffer.alloc(262_144) })
  expect(chunk.status).toBe(308)
  return pathname + search
}

function rowsOf({ state }: GivenStorage): Record<string, unknown> {
  const tables = ['object_buckets', 'object_live', 'object_noncurrent', 'object_blobs', 'object_uploads']
  return Object.fromEntries(tables.map((table) => [table, state.db.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.['n']]))
}
