import { Storage } from '@google-cloud/storage'
import { afterEach, expect, test, vi } from 'vitest'
import { givenStorage } from './given-storage.ts'

afterEach(() => vi.unstubAllEnvs())

test("Google's Node client, led by STORAGE_EMULATOR_HOST alone, uploads, lists, reads and deletes without credentials", async () => {
  await using cloud = await givenStorage()
  vi.stubEnv('STORAGE_EMULATOR_HOST', cloud.api.url)
  const client = new Storage({ projectId: 'demo' })
  const [bucket] = await client.createBucket('by-host')
  await bucket.file('a/b').save('simple', { resumable: false })
  await bucket.file('c').save(Buffer.alloc(600_000, 'x'), { resumable: true })
  expect((await bucket.getFiles())[0].map(({ name }) => name)).toEqual(['a/b', 'c'])
  expect(String((await bucket.file('a/b').download())[0])).toBe('simple')
  expect((await client.getBuckets())[0].map(({ name }) => name)).toContain('by-host')
  await bucket.deleteFiles()
  await bucket.delete()
  expect((await bucket.exists())[0]).toBe(false)
})
