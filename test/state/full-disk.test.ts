import { Storage } from '@google-cloud/storage'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openDaemon, type Daemon } from '../../src/daemon/daemon.ts'
import { CloudError } from '../../src/base/cloud-error.ts'
import { openState } from '../../src/state/state.ts'
import { canMount, givenDisk } from './given-disk.ts'

const start = (stateDirectory: string) => openDaemon({ stateDirectory, port: 0, onShutdown: () => {} })

interface Answer {
  readonly status: number
  readonly text: string
}

/** Asks one of Google's APIs at the endpoints port, as a client of the given kind. */
async function ask(
  daemon: Daemon,
  method: string,
  path: string,
  body?: string | Buffer,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(`http://localhost:${daemon.house.gateway.port}${path}`, {
    method,
    headers: { 'content-type': typeof body === 'string' ? 'application/json' : 'application/octet-stream', ...headers },
    ...(body !== undefined && { body }),
  })
  return { status: response.status, text: await response.text() }
}

const upload = (daemon: Daemon, name: string, sizeBytes: number, headers?: Record<string, string>) =>
  ask(daemon, 'POST', `/upload/storage/v1/b/bytes/o?uploadType=media&name=${name}`, Buffer.alloc(sizeBytes, name), headers)

test.runIf(canMount)(
  'F7: on a full disk reads and deletes go on, what adds is 507 with what it needs, the daemon starts, and freed space is enough',
  async () => {
    using disk = givenDisk('32m')
    const directory = join(disk.path, 'state')
    {
      await using daemon = await start(directory)
      expect((await ask(daemon, 'POST', '/storage/v1/b?project=full-disk', '{"name":"bytes"}')).status).toBe(200)
      expect((await ask(daemon, 'POST', '/v1/projects/full-disk/secrets?secretId=kept', '{"replication":{"automatic":{}}}')).status).toBe(
        200,
      )
      for (const name of ['a', 'b', 'c']) expect((await upload(daemon, name, 300_000)).status).toBe(200)
      expect((await upload(daemon, 'small', 1000)).status).toBe(200)

      disk.fill()
      const large = await upload(daemon, 'd', 300_000)
      expect(large).toMatchObject({ status: 507, text: expect.stringMatching(/The disk of .*\/state is full: .* are needed, .* are free/) })
      expect(await upload(daemon, 'e', 100)).toMatchObject({ status: 507, text: expect.stringContaining('"diskFull"') })
      expect(await ask(daemon, 'POST', '/v1/projects/full-disk/secrets?secretId=more', '{"replication":{"automatic":{}}}')).toMatchObject({
        status: 507,
        text: expect.stringContaining('RESOURCE_EXHAUSTED'),
      })
      expect((await upload(daemon, 'e', 100, { 'x-goog-api-client': 'gl-go/1.24.0 gccl/1.50.0' })).status).toBe(413)
      expect((await upload(daemon, 'e', 100, { 'user-agent': 'apitools gsutil/5.30 Python/3.11.2 (linux)' })).status).toBe(413)
      expect((await ask(daemon, 'GET', '/storage/v1/b/bytes/o/a?alt=media')).status).toBe(200)
      expect((await ask(daemon, 'DELETE', '/storage/v1/b/bytes/o/a')).status).toBe(204)
      disk.fill() // what the delete gave back is taken too
      expect((await ask(daemon, 'DELETE', '/storage/v1/b/bytes/o/b')).status).toBe(204)
      expect((await ask(daemon, 'DELETE', '/v1/projects/full-disk/secrets/kept')).status).toBe(200)
      expect(readFileSync(join(directory, 'daemon.log'), 'utf8')).toMatch(/"level":50.*DISK_FULL|disk fault/)
    }
    disk.fill()
    await using again = await start(directory)
    expect((await ask(again, 'GET', '/storage/v1/b/bytes/o/c?alt=media')).status).toBe(200)
    expect((await upload(again, 'f', 100)).status).toBe(507)
    expect((await ask(again, 'DELETE', '/storage/v1/b/bytes/o/c')).status).toBe(204)
    disk.free()
    expect((await upload(again, 'f', 300_000)).status).toBe(200)
  },
)

test.runIf(canMount)(
  "F7: Google's client ends its upload on a full disk, in one piece and in parts, and a begun one goes on once there is room",
  async () => {
    using disk = givenDisk('32m')
    await using daemon = await start(join(disk.path, 'state'))
    const storage = new Storage({
      apiEndpoint: `http://localhost:${daemon.house.gateway.port}`,
      projectId: 'full-disk',
      retryOptions: { maxRetries: 1 },
    })
    const [bucket] = await storage.createBucket('bytes')
    disk.fill()
    for (const resumable of [false, true]) {
      await expect(bucket.file('x').save(Buffer.alloc(400_000), { resumable })).rejects.toThrow(/full/)
    }
    disk.free()
    await bucket.file('x').save(Buffer.alloc(400_000), { resumable: true })
    expect((await bucket.file('x').getMetadata())[0].size).toBe('400000')
  },
)

test.runIf(canMount)('F7: a body that grows past what is free is refused before the disk is full, and leaves nothing', async () => {
  using disk = givenDisk('32m')
  const directory = join(disk.path, 'state')
  await using daemon = await start(directory)
  await ask(daemon, 'POST', '/storage/v1/b?project=full-disk', '{"name":"bytes"}')
  expect((await upload(daemon, 'huge', 40 << 20)).status).toBe(507)
  expect((await upload(daemon, 'small', 300_000)).status).toBe(200)
})

test.runIf(canMount)('F8: a disk without inodes is told as such; deletes go on, and a freed inode is enough', async () => {
  using disk = givenDisk('64m', 300)
  const directory = join(disk.path, 'state')
  await using daemon = await start(directory)
  await ask(daemon, 'POST', '/storage/v1/b?project=full-disk', '{"name":"bytes"}')
  expect((await upload(daemon, 'a', 300_000)).status).toBe(200)
  disk.takeInodes()
  expect(await upload(daemon, 'b', 300_000)).toMatchObject({ status: 507, text: expect.stringContaining('inode') })
  expect((await ask(daemon, 'GET', '/storage/v1/b/bytes/o/a?alt=media')).status).toBe(200)
  expect((await ask(daemon, 'DELETE', '/storage/v1/b/bytes/o/a')).status).toBe(204)
  disk.free()
  expect((await upload(daemon, 'b', 300_000)).status).toBe(200)
})

test.runIf(canMount)('F9: a read-only disk is named with its path and cause', async () => {
  using disk = givenDisk('32m')
  const directory = join(disk.path, 'state')
  await openState(directory, [])[Symbol.asyncDispose]()
  disk.setReadOnly(true)
  await expect(start(directory)).rejects.toSatisfy(
    (error) =>
      error instanceof CloudError && error.fault === 'STATE_UNUSABLE' && error.message === `The disk of ${directory} is read-only.`,
  )
})
