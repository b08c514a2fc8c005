import { createHash } from 'node:crypto'
import { request } from 'node:http'
import { expect, test } from 'vitest'
import { givenStorage } from './given-storage.ts'

const sizeBytes = 512 << 20
const chunk = Buffer.from(Uint8Array.from({ length: 1 << 20 }, (_, at) => (at * 31) % 251))

test('F39: an object of 512 MB goes up by a session and down again with its checksum, in less than 200 MB of memory', async () => {
  await using cloud = await givenStorage()
  const begun = await cloud.send('POST', '/upload/storage/v1/b/bucket/o?uploadType=resumable&name=large')
  const { pathname, search } = new URL(begun.headers.location ?? '')
  global.gc?.()
  const before = process.memoryUsage().rss
  let most = 0
  const watch = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 20)

  const sum = createHash('md5')
  const outgoing = request({
    port: cloud.api.port,
    method: 'PUT',
    path: pathname + search,
    headers: { 'content-length': String(sizeBytes) },
  })
  const answered = new Promise<Record<string, unknown>>((resolve, reject) =>
    outgoing.on('error', reject).on('response', async (incoming) => resolve(JSON.parse((await incoming.toArray()).join('')) as never)),
  )
  for (let sent = 0; sent < sizeBytes; sent += chunk.length) {
    sum.update(chunk)
    if (!outgoing.write(chunk)) await new Promise<void>((resolve) => outgoing.once('drain', () => resolve()))
  }
  outgoing.end()
  const md5Hash = sum.digest('base64')
  expect(await answered).toMatchObject({ size: String(sizeBytes), md5Hash })

  const down = createHash('md5')
  const got = await fetch(`${cloud.api.url}/bucket/large`)
  if (got.body !== null) for await (const bytes of got.body) down.update(bytes as Uint8Array)
  clearInterval(watch)
  expect(down.digest('base64')).toBe(md5Hash)
  expect(most - before).toBeLessThan(200 << 20)
}, 120_000)
