import { Storage } from '@google-cloud/storage'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openDaemon } from '../../../src/daemon/daemon.ts'
import { freshDirectory } from '../../state/given-state.ts'

test('bytes that are gone from the disk are 404 by the name of their file, which ends the call of a client of Google, and are told in daemon.log', async () => {
  const stateDirectory = freshDirectory()
  await using daemon = await openDaemon({ stateDirectory, port: 0, onShutdown: () => {}, products: ['storage'] })
  const storage = new Storage({ apiEndpoint: `http://localhost:${daemon.house.gateway.port}`, projectId: 'gone-shop' })
  const [bucket] = await storage.createBucket('gone-shop-bytes')
  await bucket.file('packed').save(Buffer.alloc(100_000, 'packed '), { resumable: false, gzip: true })
  await bucket.file('large').save(Buffer.alloc(100_000, 'large '), { resumable: false })
  const folder = join(stateDirectory, 'objects')
  for (const file of readdirSync(folder)) rmSync(join(folder, file))
  await expect(bucket.file('large').download()).rejects.toMatchObject({
    code: 404,
    message: expect.stringMatching(/objects\/[0-9a-f]{32} is missing/),
  })
  expect((await bucket.file('large').getMetadata())[0].size).toBe('100000')
  expect(readFileSync(join(stateDirectory, 'daemon.log'), 'utf8')).toMatch(/"level":50.*is missing/)
})
