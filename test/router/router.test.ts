import http, { type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { CloudError } from '../../src/base/cloud-error.ts'
import { givenBackend, givenRouter, oneInstance, type GivenRouter } from './given-router.ts'

async function givenHttp(listener: RequestListener) {
  const server = http.createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => void (server.closeAllConnections(), server.close(() => resolve()))),
  }
}

/** The request's headers as the application sees them. */
async function seenHeaders(request: string): Promise<Record<string, unknown>> {
  await using app = await givenHttp((incoming, response) => response.end(JSON.stringify({ ...incoming.headers, ':url': incoming.url })))
  await using given = await givenRouter(oneInstance(app.port))
  const text = await given.raw(request)
  return JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4).replace(/^[0-9a-f]+\r\n|\r\n0\r\n\r\n$/g, '')) as Record<string, unknown>
}

const get = (path = '/', headers = '') => `GET ${path} HTTP/1.1\r\nHost: app.localhost:8080\r\nConnection: close\r\n${headers}\r\n`

test('run trap 22: the application sees https and a host without port', async () => {
  const headers = await seenHeaders(get('/', 'Origin: http://app.localhost:8080\r\nReferer: http://app.localhost:8080/a?b\r\n'))
  expect(headers).toMatchObject({
    host: 'app.localhost',
    'x-forwarded-proto': 'https',
    origin: 'https://app.localhost',
    referer: 'https://app.localhost/a?b',
  })
})

test('run trap 23: the client X-Forwarded-For stays first, the real address is last, and no X-Forwarded-Host is added', async () => {
  const headers = await seenHeaders(get('/', 'X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: http\r\nForwarded: for=9.9.9.9\r\n'))
  expect(headers).toMatchObject({
    'x-forwarded-for': '1.2.3.4, 127.0.0.1',
    'x-forwarded-proto': 'https',
    forwarded: 'for="127.0.0.1";proto=https',
  })
  expect(headers).not.toHaveProperty('x-forwarded-host')
})

test('run trap 24: traceparent and X-Cloud-Trace-Context carry one trace id, and a client trace goes on', async () => {
  const fresh = await seenHeaders(get())
  expect(String(fresh['x-cloud-trace-context']).split('/')[0]).toBe(String(fresh['traceparent']).split('-')[1])
  const id = 'a'.repeat(32)
  const continued = await seenHeaders(get('/', `traceparent: 00-${id}-${'b'.repeat(16)}-01\r\n`))
  expect(continued['x-cloud-trace-context']).toMatch(new RegExp(`^${id}/\\d+;o=1$`))
})

test('hop-by-hop fields, those that Connection names, and X-Google-* stop at the router', async () => {
  const headers = await seenHeaders(
    'GET / HTTP/1.1\r\nHost: app.localhost\r\nConnection: close, X-Secret\r\nX-Secret: 1\r\nX-Google-A: 1\r\nTE: trailers\r\nKeep-Alive: 5\r\n\r\n',
  )
  for (const name of ['x-secret', 'x-google-a', 'te', 'keep-alive']) expect(headers).not.toHaveProperty(name)
})

test('S28: the target arrives byte for byte', async () => {
  for (const path of ['/a/../b', '/%2e%2e/', '//x', '/\\x', '/a?b=%41']) expect((await seenHeaders(get(path)))[':url']).toBe(path)
})

test('run trap 20: /healthz is answered by a 404 page of the front end, /healthz/ and /readyz by the application', async () => {
  await using app = await givenHttp((request, response) => response.end(`app ${request.url}`))
  await using given = await givenRouter(oneInstance(app.port))
  expect(await given.raw(get('/healthz'))).toMatch(/^HTTP\/1.1 404 [\s\S]*<!DOCTYPE html>/)
  expect(await given.raw(get('/healthz/'))).toContain('app /healthz/')
  expect(await given.raw(get('/readyz'))).toContain('app /readyz')
  expect(given.records.map((record) => record.target)).toEqual(['/healthz/', '/readyz'])
})

test('run trap 47: a response that sets a cookie is private, and the server is Google Frontend', async () => {
  await using app = await givenHttp((_request, response) =>
    response.writeHead(200, { 'Set-Cookie': 'a=b', 'Cache-Control': 'public', Server: 'mine' }).end(),
  )
  await using given = await givenRouter(oneInstance(app.port))
  const text = await given.raw(get())
  expect(text).toContain('Cache-Control: private\r\n')
  expect(text).toContain('Server: Google Frontend\r\n')
  expect(text).not.toContain('mine')
})

test('a redirect to the own https origin goes to what the browser typed, and secure cookies live on plain http', async () => {
  await using app = await givenHttp((_request, response) =>
    response
      .writeHead(302, {
        Location: 'https://app.localhost/login',
        'Set-Cookie': ['__Host-s=1; Path=/; Secure; SameSite=None'],
        'Strict-Transport-Security': 'max-age=999; includeSubDomains',
      })
      .end(),
  )
  await using given = await givenRouter(oneInstance(app.port))
  const text = await given.raw(get())
  expect(text).toContain('Location: http://app.localhost:8080/login\r\n')
  expect(text).toContain('Set-Cookie: devcloud-Host-s=1; Path=/; SameSite=Lax\r\n')
  expect(text).toContain('Strict-Transport-Security: max-age=0\r\n')
  expect((await seenHeaders(get('/', 'Cookie: devcloud-Host-s=1\r\n')))['cookie']).toBe('__Host-s=1')
})

test('run trap 45: an event stream arrives before its handler ends', async () => {
  await using app = await givenHttp((_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' }).write('data: 1\n\n')
  })
  await using given = await givenRouter(oneInstance(app.port))
  expect(await given.raw(get(), 'data: 1')).toContain('data: 1')
})

test('a WebSocket passes raw bytes both ways after 101', async () => {
  await using app = await givenBackend((text, socket) => {
    if (text.endsWith('\r\n\r\n'))
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhello')
    else if (text.endsWith('ping')) socket.end('pong')
  })
  await using given = await givenRouter(oneInstance(app.port))
  const request = 'GET /ws HTTP/1.1\r\nHost: app.localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nping'
  const text = await given.raw(request)
  expect(text).toMatch(/^HTTP\/1.1 101 [\s\S]*hellopong$/)
  expect(app.seen[0]).toContain('Upgrade: websocket')
})

test('requests that come at once on one connection are answered in order', async () => {
  await using app = await givenHttp((request, response) => response.end(`<${request.url}>`))
  await using given = await givenRouter(oneInstance(app.port))
  const text = await given.raw(`GET /1 HTTP/1.1\r\nHost: app.localhost\r\n\r\n${get('/2')}`)
  expect(text.match(/<\/\d>/g)).toEqual(['</1>', '</2>'])
})

test('a body of chunks and one with a length arrive whole, both ways', async () => {
  await using app = await givenHttp((request, response) => request.pipe(response))
  await using given = await givenRouter(oneInstance(app.port))
  const bytes = Buffer.alloc(3 << 20, 'x')
  for (const body of [
    bytes,
    new ReadableStream({ start: (controller) => (controller.enqueue(new Uint8Array(bytes)), controller.close()) }),
  ]) {
    const answer = await request(given, body)
    expect(answer.length).toBe(bytes.length)
  }
})

function request(given: GivenRouter, body: Buffer | ReadableStream): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const sent = http.request(
      {
        host: '127.0.0.1',
        port: given.router.port,
        method: 'POST',
        headers: { host: 'app.localhost', ...(body instanceof Buffer && { 'content-length': body.length }) },
      },
      (response) => {
        const parts: Buffer[] = []
        response
          .on('data', (part: Buffer) => parts.push(part))
          .on('end', () => resolve(Buffer.concat(parts)))
          .on('error', reject)
      },
    )
    sent.on('error', reject)
    if (body instanceof Buffer) sent.end(body)
    else
      void (async () => {
        for await (const part of body as unknown as AsyncIterable<Uint8Array>) sent.write(part)
        sent.end()
      })()
  })
}

test('run trap 14: the request timeout answers 504 and counts the wait for an instance', async () => {
  const never = {
    id: 'r',
    acquire: (signal: AbortSignal) =>
      new Promise<never>((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  }
  await using given = await givenRouter(never, { route: { timeoutMs: 200 } })
  expect(await given.raw(get())).toMatch(/^HTTP\/1.1 504 [\s\S]*upstream request timeout$/)
})

test('run trap 12: no room is 429 with Rate exceeded', async () => {
  const full = { id: 'r', acquire: () => Promise.reject(new CloudError('RESOURCE_EXHAUSTED', 'full', 'wait')) }
  await using given = await givenRouter(full)
  expect(await given.raw(get())).toMatch(/^HTTP\/1.1 429 [\s\S]*Rate exceeded\.$/)
})

test('run trap 16: an instance that breaks before it answers is 503', async () => {
  await using app = await givenBackend((_text, socket) => socket.destroy())
  const upstream = oneInstance(app.port)
  await using given = await givenRouter(upstream)
  expect(await given.raw(get())).toMatch(/^HTTP\/1.1 503 [\s\S]*malformed or connection to the instance had an error\.$/)
  expect(upstream.inFlight).toBe(0)
})

test('a client that goes away frees its slot', async () => {
  await using app = await givenHttp((_request, response) => void response.write('begun'))
  const upstream = oneInstance(app.port)
  await using given = await givenRouter(upstream)
  await given.raw(get(), 'begun')
  await sleep(100)
  expect(upstream.inFlight).toBe(0)
})

test('run trap 51: TRACE and CONNECT are refused', async () => {
  await using given = await givenRouter(oneInstance(1))
  for (const method of ['TRACE', 'CONNECT'])
    expect(await given.raw(`${method} / HTTP/1.1\r\nHost: app.localhost\r\n\r\n`)).toMatch(/^HTTP\/1.1 405 /)
})

test.each([
  ['two Hosts', 'GET / HTTP/1.1\r\nHost: app.localhost\r\nHost: app.localhost\r\n\r\n', 400],
  ['no Host', 'GET / HTTP/1.1\r\n\r\n', 400],
  ['a foreign host', 'GET / HTTP/1.1\r\nHost: evil.test\r\n\r\n', 421],
  ['a whole URL (S11)', 'GET http://169.254.169.254/ HTTP/1.1\r\nHost: app.localhost\r\n\r\n', 421],
  [
    'a length beside chunks',
    'POST / HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    400,
  ],
  ['two lengths', 'POST / HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello', 400],
  ['a signed length', 'POST / HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: +5\r\n\r\nhello', 400],
  ['chunks in HTTP/1.0', 'POST / HTTP/1.0\r\nHost: app.localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400],
  ['another coding', 'POST / HTTP/1.1\r\nHost: app.localhost\r\nTransfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n', 501],
  ['a space before the colon', 'GET / HTTP/1.1\r\nHost : app.localhost\r\n\r\n', 400],
  ['a folded line', 'GET / HTTP/1.1\r\nHost: app.localhost\r\n X: y\r\n\r\n', 400],
  ['an empty name', 'GET / HTTP/1.1\r\nHost: app.localhost\r\n: y\r\n\r\n', 400],
  ['a bare LF', 'GET / HTTP/1.1\r\nHost: app.localhost\nX: y\r\n\r\n', 400],
  ['a bare CR', 'GET / HTTP/1.1\r\nHost: app.localhost\r\nX: a\rb\r\n\r\n', 400],
  ['a zero byte', 'GET / HTTP/1.1\r\nHost: app.localhost\r\nX: a\0b\r\n\r\n', 400],
  ['HTTP/2 by name', 'GET / HTTP/2.0\r\nHost: app.localhost\r\n\r\n', 505],
  ['a broken line', 'GET  / HTTP/1.1\r\nHost: app.localhost\r\n\r\n', 400],
  ['a bad chunk', 'POST / HTTP/1.1\r\nHost: app.localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n', 400],
  ['a head of 70 KiB', `GET / HTTP/1.1\r\nHost: app.localhost\r\nX: ${'y'.repeat(70_000)}\r\n\r\n`, 431],
])('%s is refused and never reaches an instance whole', async (_name, bytes, status) => {
  await using app = await givenBackend(() => {})
  await using given = await givenRouter(oneInstance(app.port))
  expect(await given.raw(bytes)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
  expect(app.seen.filter((text) => text.includes('\r\n0\r\n')).length).toBe(0)
})

test.each([
  ['length and chunks', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['a 101 that nobody asked for', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
  ['no status line', 'hello\r\n\r\n'],
  ['endless interim answers', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(40)],
  ['a head of 70 KiB', `HTTP/1.1 200 OK\r\nX: ${'y'.repeat(70_000)}`],
])('an instance that answers with %s gives 503, and its connection is dropped', async (_name, bytes) => {
  await using app = await givenBackend((_text, socket) => socket.write(bytes))
  await using given = await givenRouter(oneInstance(app.port))
  expect(await given.raw(get())).toMatch(/^HTTP\/1\.1 503 /)
  await given.raw(get())
  expect(app.seen).toHaveLength(2)
})

test('bytes after a body are not the next answer', async () => {
  await using app = await givenBackend((_text, socket) =>
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'),
  )
  await using given = await givenRouter(oneInstance(app.port))
  expect(await given.raw(`GET /1 HTTP/1.1\r\nHost: app.localhost\r\n\r\n${get('/2')}`)).not.toContain('evil')
})

const publicOrigins = () => [{ from: 'https://storage.googleapis.com', to: 'http://storage.localhost:45678' }]
const browser = 'Sec-Fetch-Site: none\r\nSec-Fetch-Dest: document\r\nAccept-Encoding: gzip\r\n'
const picture = 'src="https://storage.googleapis.com/b/pic.png"'

test('a browser is led to the local storage by the pages of an application, whose bytes keep their number', async () => {
  await using app = await givenHttp((request, response) => {
    response.setHeader('content-type', 'text/html')
    response.end(`${request.headers['accept-encoding'] ?? 'plain'} <img ${picture}>`)
  })
  await using given = await givenRouter(oneInstance(app.port), { publicOrigins })
  expect(await given.raw(get('/', browser))).toMatch(/\r\n\r\nplain <img src="http:\/\/storage\.localhost:45678\/b\/pic\.png">$/)
  expect(await given.raw(get('/', 'Accept-Encoding: gzip\r\n'))).toContain(`gzip <img ${picture}>`)
})

test('an origin that is cut in two pieces is replaced, and a page that ends like one ends', async () => {
  await using app = await givenHttp(async (request, response) => {
    response.setHeader('content-type', 'text/html')
    response.flushHeaders()
    response.socket?.write('1e\r\nhttps://storage.goog')
    await sleep(5)
    response.socket?.write('leapis.com\r\n')
    response.end(request.url === '/end' ? 'see https://' : 'more')
  })
  await using given = await givenRouter(oneInstance(app.port), { publicOrigins })
  expect(await given.raw(get('/', browser))).toContain('http://storage.localhost:45678')
  const text = await given.raw(get('/end', browser), '\r\n0\r\n\r\n')
  expect(text).toContain('see https://\r\n0\r\n\r\n')
})

test('pictures and compressed text pass as they are', async () => {
  await using app = await givenHttp((request, response) => {
    if (request.url === '/zip') response.setHeader('content-encoding', 'gzip')
    response.setHeader('content-type', request.url === '/zip' ? 'text/html' : 'image/svg+xml')
    response.end(picture)
  })
  await using given = await givenRouter(oneInstance(app.port), { publicOrigins })
  expect(await given.raw(get('/zip', browser))).toContain(picture)
  expect(await given.raw(get('/svg', browser))).toContain(picture)
})
