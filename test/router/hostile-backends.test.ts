import http2 from 'node:http2'
import type { Socket } from 'node:net'
import { expect, test } from 'vitest'
import { ask, givenH2Client } from './h2/given-h2.ts'
import { givenBackend, givenRouter, oneInstance } from './given-router.ts'
import { givenSocket } from './given-socket.ts'

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: app.localhost\r\n\r\n`
const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

/** What instances do that they should not. Source: reliability.md S27. Each has the status that the client reads; 0 where it sees the end early. */
const hostile: readonly { readonly name: string; readonly status: number; readonly answer: (socket: Socket) => void }[] = [
  { name: 'a length beside chunks', status: 503, answer: writes('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n') },
  { name: 'two lengths', status: 503, answer: writes('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nok') },
  { name: 'bytes behind the body', status: 200, answer: writes(`${ok}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`) },
  { name: 'a head of 1 MiB', status: 503, answer: writes(`HTTP/1.1 200 OK\r\nX: ${'y'.repeat(2 ** 20)}\r\n\r\n`) },
  { name: 'endless interim answers', status: 503, answer: endless('HTTP/1.1 103 Early Hints\r\n\r\n') },
  { name: 'a 101 that nobody asked for', status: 503, answer: writes('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\nraw') },
  { name: 'a status line of garbage', status: 503, answer: writes('HTTP/1.1 OK 200\r\n\r\n') },
  { name: 'HTTP/2 frames', status: 503, answer: writes('\0\0\x12\x04\0\0\0\0\0\r\n\r\n') },
  { name: 'a status of four digits', status: 503, answer: writes('HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n') },
  { name: 'a folded field', status: 503, answer: writes('HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n') },
  { name: 'a field with a bare LF', status: 503, answer: writes('HTTP/1.1 200 OK\r\nX: a\nSet-Cookie: evil=1\r\nContent-Length: 0\r\n\r\n') },
  { name: 'a chunk that is no chunk', status: 0, answer: writes('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\nzz\r\n') },
  { name: 'the end within a body', status: 0, answer: (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nok') },
  { name: 'the end within the head', status: 503, answer: (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Le') },
] // prettier-ignore

test.each(hostile)('after $name the next request has a clean connection', async ({ status, answer }) => {
  await using app = await givenBackend((text, socket) => {
    if (text.startsWith('GET /clean ')) socket.write(ok)
    else answer(socket)
  })
  const upstream = oneInstance(app.port)
  await using given = await givenRouter(upstream)
  const text = await given.raw(get('/hostile'), status === 200 ? 'ok' : undefined)
  if (status === 0) expect(text).not.toContain('\r\n0\r\n')
  else expect(text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
  expect(text).not.toContain('evil')
  expect(await given.raw(get('/clean'), 'ok')).toMatch(/^HTTP\/1\.1 200 [\s\S]*\r\n\r\nok$/)
  expect(app.seen.filter((seen) => seen.includes('/clean'))).toHaveLength(1)
  expect(app.seen.find((seen) => seen.includes('/clean'))).not.toContain('/hostile')
  expect(upstream.inFlight).toBe(0)
})

test.each(hostile)('after $name the next request of an HTTP/2 client has a clean connection, too', async ({ status, answer }) => {
  await using app = await givenBackend((text, socket) => {
    if (text.startsWith('GET /clean ')) socket.write(ok)
    else answer(socket)
  })
  const upstream = oneInstance(app.port)
  await using given = await givenRouter(upstream)
  using client = givenH2Client(given.router.port)
  const seen = await ask(client, { ':path': '/hostile' })
  if (status === 0) expect(seen.rstCode).toBe(http2.constants.NGHTTP2_INTERNAL_ERROR)
  else expect(seen).toMatchObject({ status, rstCode: 0 })
  expect(JSON.stringify(seen)).not.toContain('evil')
  expect(await ask(client, { ':path': '/clean' })).toMatchObject({ status: 200, body: 'ok' })
  expect(app.seen.filter((text) => text.includes('/clean'))).toHaveLength(1)
  expect(app.seen.find((text) => text.includes('/clean'))).not.toContain('/hostile')
  expect(upstream.inFlight).toBe(0)
})

test('an answer before the body is over ends the connection, and what still comes of the body is no request', async () => {
  await using app = await givenBackend((text, socket) => {
    if (text.endsWith('\r\n\r\n')) socket.write(ok)
  })
  await using given = await givenRouter(oneInstance(app.port))
  await using client = await givenSocket(given.router.port)
  client.socket.write('POST /early HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: 1000\r\n\r\n')
  await client.until(/ok$/)
  client.socket.write('GET /smuggled HTTP/1.1\r\nHost: app.localhost\r\n\r\n')
  await given.raw('GET /later HTTP/1.1\r\nHost: app.localhost\r\nConnection: close\r\n\r\n')
  expect(await client.closed()).toMatch(/^HTTP\/1\.1 200 [\s\S]*\r\n\r\nok$/)
  expect(app.seen.join('')).not.toContain('/smuggled')
})

test('an instance that says more when nobody asked loses its connection', async () => {
  const said = Promise.withResolvers<void>()
  await using app = await givenBackend((_text, socket) => {
    socket.write(ok)
    setTimeout(() => socket.write(ok.replace('ok', 'no'), () => setTimeout(said.resolve, 50)), 50)
  })
  await using given = await givenRouter(oneInstance(app.port))
  await given.raw(get('/1'), 'ok')
  await said.promise
  expect(await given.raw(get('/2'), '\r\n\r\n')).toMatch(/ok$/)
  expect(app.seen).toHaveLength(2)
})

test('a request that may do something is not sent twice when its connection breaks; one that may not is', async () => {
  let broken = 0
  await using app = await givenBackend((text, socket) => {
    if (/ \/break-\w+ /.test(text)) {
      broken += 1
      if (broken % 2 === 1) return void socket.destroy()
    }
    socket.write(ok)
  })
  await using given = await givenRouter(oneInstance(app.port))
  const ask = (method: string, path: string) =>
    given.raw(`${method} ${path} HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: 0\r\n\r\n`, '\r\n\r\n')
  await ask('GET', '/warm')
  expect(await ask('GET', '/break-get')).toContain(' 200 ')
  expect(broken).toBe(2)
  expect(await ask('POST', '/break-post')).toContain(' 503 ')
  expect(broken).toBe(3)
})

function writes(text: string): (socket: Socket) => void {
  return (socket) => void socket.write(text, 'latin1')
}

function endless(text: string): (socket: Socket) => void {
  return (socket) => {
    const timer = setInterval(() => socket.write(text.repeat(4)), 1)
    socket.on('close', () => clearInterval(timer))
  }
}
