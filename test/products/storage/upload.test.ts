import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:http2'
import { expect, test } from 'vitest'
import { givenStorage, type GivenStorage } from './given-storage.ts'
import type { Answer, SendOptions } from '../../api/send.ts'

const granule = 256 << 10
const upload = '/upload/storage/v1/b/bucket/o'

test('storage traps 1 and 2: asking how far an upload is does not end it, unless the total is reached', async () => {
  await using cloud = await givenStorage()
  const session = await givenSession(cloud, 'o')
  const ask = (range = 'bytes */*') => session('PUT', { headers: { 'content-range': range } })
  expect([(await ask()).status, (await ask()).headers.range]).toEqual([308, undefined])
  const data = Buffer.alloc(granule + 10, 'abc')
  const first = await session('PUT', { headers: { 'content-range': `bytes 0-${granule - 1}/*` }, body: data.subarray(0, granule) })
  expect([first.status, first.headers.range]).toEqual([308, `bytes=0-${granule - 1}`])
  for (let count = 0; count < 2; count += 1) expect((await ask()).headers.range).toBe(`bytes=0-${granule - 1}`)
  const last = await session('PUT', {
    headers: { 'content-range': `bytes ${granule}-${granule + 9}/${granule + 10}` },
    body: data.subarray(granule),
  })
  expect(last.json()).toMatchObject({ name: 'o', size: String(granule + 10) })
  expect((await cloud.bucket.file('o').download())[0].equals(data)).toBe(true)
  const exact = await givenSession(cloud, 'exact')
  await exact('PUT', { headers: { 'content-range': `bytes 0-${granule - 1}/*` }, body: data.subarray(0, granule) })
  expect((await exact('PUT', { headers: { 'content-range': `bytes */${granule}` } })).json()).toMatchObject({ size: String(granule) })
  const empty = await givenSession(cloud, 'empty')
  expect((await empty('PUT', { headers: { 'content-range': 'bytes */0' } })).json()).toMatchObject({ size: '0' })
})

test('storage trap 3: bytes that were sent already are passed over, a gap is refused', async () => {
  await using cloud = await givenStorage()
  const session = await givenSession(cloud, 'o')
  const data = Buffer.from(Array.from({ length: 2 * granule }, (_, index) => index % 251))
  const put = (first: number, last: number, total: string | number) =>
    session('PUT', { headers: { 'content-range': `bytes ${first}-${last}/${total}` }, body: data.subarray(first, last + 1) })
  expect((await put(granule, 2 * granule - 1, 2 * granule)).status).toBe(503)
  await put(0, granule - 1, '*')
  expect((await put(0, granule - 1, '*')).headers.range).toBe(`bytes=0-${granule - 1}`)
  expect((await put(granule - 100, 2 * granule - 1, 2 * granule)).status).toBe(200)
  expect((await cloud.bucket.file('o').download())[0].equals(data)).toBe(true)
})

test('storage trap 4: a session that is complete gives its object again, a cancelled one is 499, an unknown one 404', async () => {
  await using cloud = await givenStorage()
  const done = await givenSession(cloud, 'o')
  const made = await done('PUT', { body: 'hello' })
  expect((await done('PUT', { headers: { 'content-range': 'bytes */*' } })).json()).toEqual(made.json())
  const cancelled = await givenSession(cloud, 'o')
  expect((await cancelled('DELETE')).status).toBe(499)
  expect((await cancelled('PUT', { body: 'other' })).status).toBe(499)
  expect((await cloud.send('PUT', `${upload}?upload_id=none`, { body: 'x' })).status).toBe(404)
  expect((await cloud.bucket.file('o').download())[0].toString()).toBe('hello')
})

test('storage trap 5: X-GUploader-No-308 gives 200 with the code beside it, and chunks may come by POST', async () => {
  await using cloud = await givenStorage()
  const session = await givenSession(cloud, 'o')
  const headers = { 'content-range': `bytes 0-${granule - 1}/*`, 'x-guploader-no-308': 'yes' }
  const answer = await session('POST', { headers, body: Buffer.alloc(granule) })
  expect([answer.status, answer.headers['x-http-status-code-override'], answer.headers.range]).toEqual([
    200,
    '308',
    `bytes=0-${granule - 1}`,
  ])
})

test('storage trap 6: a PUT without Content-Range is the whole body, as is 0-*/*, and a wrong promised length is 400', async () => {
  await using cloud = await givenStorage()
  expect((await (await givenSession(cloud, 'a'))('PUT', { body: 'hello' })).status).toBe(200)
  expect((await (await givenSession(cloud, 'b'))('PUT', { headers: { 'content-range': 'bytes 0-*/*' }, body: 'hello' })).status).toBe(200)
  const promised = await givenSession(cloud, 'c', { 'x-upload-content-length': '6' })
  expect((await promised('PUT', { body: 'hello' })).status).toBe(400)
  const ragged = await givenSession(cloud, 'd')
  const answer = await ragged('PUT', { headers: { 'content-range': `bytes 0-${granule + 99}/*` }, body: Buffer.alloc(granule + 100) })
  expect(answer.headers.range).toBe(`bytes=0-${granule - 1}`)
  expect((await ragged('PUT', { headers: { 'content-range': 'bytes 5-2/*' }, body: 'x' })).status).toBe(400)
})

test('storage trap 7: discovery clients upload below /resumable too', async () => {
  await using cloud = await givenStorage()
  const answer = await cloud.send('POST', `/resumable${upload}?uploadType=resumable&name=o`)
  expect(answer.headers.location).toContain('/resumable/upload/storage/v1/b/bucket/o?')
})

test('the address of a session is on the host by which the client came', async () => {
  await using cloud = await givenStorage()
  const start = async (host: string) => {
    const headers = { host }
    if (host.endsWith('.com'))
      await cloud.bucket.iam.setPolicy({ bindings: [{ role: 'roles/storage.objectAdmin', members: ['allUsers'] }] })
    return (await cloud.send('POST', `${upload}?uploadType=resumable&name=o`, { headers })).headers.location ?? ''
  }
  const local = `localhost:${cloud.api.port}`
  expect(await start(local)).toMatch(`http://${local}/upload/storage/v1/b/bucket/o?`)
  expect(await start('storage.googleapis.com')).toMatch('https://storage.googleapis.com/upload/storage/v1/b/bucket/o?')
})

test('storage trap 8: boundaries in quotes, bare line feeds and a missing last line end are read', async () => {
  await using cloud = await givenStorage()
  const send = (name: string, type: string, body: string) =>
    cloud.send('POST', `${upload}?uploadType=multipart`, { headers: { 'content-type': type }, body: body.replaceAll('NAME', name) })
  const crlf =
    '--==b==\r\nContent-Type: application/json\r\n\r\n{"name":"NAME"}\r\n--==b==\r\nContent-Type: text/plain\r\n\r\nx\r\n--==b=x\n\r\n--==b==--'
  const lf = crlf.replaceAll('\r\n', '\n')
  expect((await send('single', "multipart/related; boundary='==b=='", crlf)).status).toBe(200)
  expect((await send('double', 'multipart/related; boundary="==b=="', `${crlf}\r\n`)).status).toBe(200)
  expect((await send('bare', 'multipart/related; boundary===b==', lf)).status).toBe(200)
  expect((await cloud.bucket.file('single').download())[0].toString()).toBe('x\r\n--==b=x\n')
  expect((await cloud.bucket.file('bare').download())[0].toString()).toBe('x\n--==b=x\n')
  expect((await send('cut', 'multipart/related; boundary="==b=="', crlf.slice(0, -2))).status).toBe(400)
  expect(await cloud.bucket.file('cut').exists()).toEqual([false])
})

test('storage trap 9: types of the part and of the resource must agree', async () => {
  await using cloud = await givenStorage()
  const body = '--b\r\n\r\n{"name":"o","contentType":"text/css"}\r\n--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--'
  const answer = await cloud.send('POST', `${upload}?uploadType=multipart`, {
    headers: { 'content-type': 'multipart/related; boundary=b' },
    body,
  })
  expect(answer.status).toBe(400)
})

test('a type that is none is kept as it came', async () => {
  await using cloud = await givenStorage()
  for (const type of ['foo', '']) {
    const answer = await cloud.send('POST', `${upload}?uploadType=media&name=o`, { headers: { 'content-type': type }, body: 'x' })
    expect(answer.status).toBe(200)
    expect(answer.json()['contentType']).toBe(type || undefined)
  }
})

test('a wrong checksum is refused and nothing is left', async () => {
  await using cloud = await givenStorage()
  const file = cloud.bucket.file('o')
  await expect(file.save('x', { resumable: false, metadata: { md5Hash: 'AAAAAAAAAAAAAAAAAAAAAA==' } })).rejects.toMatchObject({ code: 400 })
  expect(await file.exists()).toEqual([false])
})

test('an upload whose connection breaks goes on where it was, over a restart of the daemon too', async () => {
  const data = Buffer.from(Array.from({ length: 9 * granule }, (_, index) => (index * 7) % 253))
  const cloud = await givenStorage()
  const session = await givenSession(cloud, 'o')
  const target = session.target
  const promise = { 'content-range': `bytes 0-${data.length - 1}/${data.length}`, 'content-length': String(data.length) }
  await cut(cloud.api.port, 'PUT', target, data.subarray(0, 4 * granule + 1000), promise)
  const told = await session('PUT', { headers: { 'content-range': `bytes */${data.length}` } })
  const held = heldBytes(told)
  expect([told.status, held > 0, held % granule]).toEqual([308, true, 0])
  await cloud[Symbol.asyncDispose]()
  await using next = await givenStorage({ directory: cloud.directory })
  const asked = await next.send('PUT', target, { headers: { 'content-range': `bytes */${data.length}` } })
  expect(heldBytes(asked)).toBe(held)
  const headers = { 'content-range': `bytes ${held}-${data.length - 1}/${data.length}` }
  expect((await next.send('PUT', target, { headers, body: data.subarray(held) })).status).toBe(200)
  expect((await next.bucket.file('o').download())[0].equals(data)).toBe(true)
})

test('a daemon that stops while bytes come in keeps what it told of', async () => {
  const cloud = await givenStorage()
  const session = await givenSession(cloud, 'o')
  const outgoing = request({ port: cloud.api.port, method: 'PUT', path: session.target, headers: { 'content-range': 'bytes 0-*/*' } })
  outgoing.on('error', () => {})
  await new Promise<void>((resolve) => outgoing.write(Buffer.alloc(8 * granule, 'z'), () => resolve()))
  await cloud[Symbol.asyncDispose]()
  await using next = await givenStorage({ directory: cloud.directory })
  const asked = await next.send('PUT', session.target, { headers: { 'content-range': 'bytes */*' } })
  const held = heldBytes(asked)
  expect([asked.status, held % granule]).toEqual([308, 0])
  const rest = Buffer.alloc(10 * granule - held, 'z')
  const headers = { 'content-range': `bytes ${held}-${10 * granule - 1}/${10 * granule}` }
  expect((await next.send('PUT', session.target, { headers, body: rest })).status).toBe(200)
  expect((await next.bucket.file('o').download())[0].equals(Buffer.alloc(10 * granule, 'z'))).toBe(true)
})

test('F36, storage trap 41: an upload in one request that breaks off leaves nothing', async () => {
  await using cloud = await givenStorage()
  await cut(cloud.api.port, 'POST', `${upload}?uploadType=media&name=o`, Buffer.alloc(granule), { 'content-length': String(2 * granule) })
  await cloud.bucket.file('after').save('x', { resumable: false })
  expect((await cloud.bucket.getFiles())[0].map(({ name }) => name)).toEqual(['after'])
})

test('uploads and downloads go over HTTP/2 as well', async () => {
  await using cloud = await givenStorage()
  const session = connect(cloud.api.url)
  const call = async (headers: Readonly<Record<string, string>>, body?: Buffer) => {
    const stream = session.request(headers).end(body)
    const [answer] = (await once(stream, 'response')) as [Record<string, unknown>]
    return { status: answer[':status'], bytes: Buffer.concat(await stream.toArray()) }
  }
  const data = Buffer.alloc(1 << 20, 'h2')
  expect((await call({ ':method': 'POST', ':path': `${upload}?uploadType=media&name=o` }, data)).status).toBe(200)
  expect((await call({ ':path': '/bucket/o' })).bytes.equals(data)).toBe(true)
  session.close()
})

test('64 MB go in and out without being held in memory', async () => {
  await using cloud = await givenStorage()
  const chunk = Buffer.alloc(64 << 10, 'm')
  const pass = async (target: string) => {
    const outgoing = request({
      port: cloud.api.port,
      method: 'POST',
      path: target,
      headers: { 'content-type': 'application/octet-stream' },
    })
    const answered = new Promise<number | undefined>((resolve, reject) =>
      outgoing.on('error', reject).on('response', (incoming) => resolve(incoming.resume().statusCode)),
    )
    for (let count = 0; count < 1024; count += 1) {
      if (!outgoing.write(chunk)) await new Promise<void>((resolve) => outgoing.once('drain', () => resolve()))
    }
    outgoing.end()
    expect(await answered).toBe(200)
    const got = await fetch(`${cloud.api.url}/bucket/big`)
    let size = 0
    if (got.body !== null) for await (const bytes of got.body) size += (bytes as Uint8Array).length
    expect(size).toBe(64 << 20)
  }
  await pass(`${upload}?uploadType=media&name=big`) // warms the process up
  const before = process.memoryUsage().rss
  await pass(`${upload}?uploadType=media&name=big`)
  expect(process.memoryUsage().rss - before).toBeLessThan(40 << 20)
})

/** A session, and how to call it. */
async function givenSession(cloud: GivenStorage, name: string, headers: Readonly<Record<string, string>> = {}) {
  const { headers: told } = await cloud.send('POST', `${upload}?uploadType=resumable&name=${name}`, { headers })
  const { pathname, search } = new URL(told.location ?? '')
  const target = pathname + search
  return Object.assign((method: string, options?: SendOptions) => cloud.send(method, target, options), { target })
}

/** How many bytes a session says it has. */
function heldBytes({ headers }: Answer): number {
  return Number(/^bytes=0-(\d+)$/.exec(headers.range ?? '')?.[1] ?? -1) + 1
}

/** Sends the first bytes of a request whose headers promise more, and hangs up when they are with the server. */
async function cut(port: number, method: string, path: string, bytes: Buffer, headers: Readonly<Record<string, string>>): Promise<void> {
  const outgoing = request({ port, method, path, headers })
  outgoing.on('error', () => {})
  await new Promise<void>((resolve) => outgoing.write(bytes, () => resolve()))
  outgoing.destroy()
}
