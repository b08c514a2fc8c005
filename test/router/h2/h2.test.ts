import { once } from 'node:events'
import http, { type RequestListener } from 'node:http'
import type { ServerHttp2Stream } from 'node:http2'
import { mkdtempSync, rmSync } from 'node:fs'
import net, { type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { addAbortSignal } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import tls from 'node:tls'
import { expect, test, vi } from 'vitest'
import { CloudError } from '../../../src/base/cloud-error.ts'
import { openCertificateAuthority } from '../../../src/gateway/certificate-authority.ts'
import { openTlsEnd } from '../../../src/gateway/tls-end.ts'
import type { Upstream } from '../../../src/router/upstream.ts'
import { ask, givenH2App, givenH2Client } from './given-h2.ts'
import { givenRouter, oneInstance, talk } from '../given-router.ts'

const h2c = (port: number): Upstream & { inFlight: number } => Object.assign(oneInstance(port), { protocol: 'h2c' as const })

async function givenHttp(listener: RequestListener) {
  const server = http.createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => void (server.closeAllConnections(), server.close(() => resolve()))),
  }
}

const told: RequestListener = (request, response) =>
  response.end(JSON.stringify({ ...request.headers, ':version': request.httpVersion, ':url': request.url, ':method': request.method }))

async function givenAuthority() {
  const folder = mkdtempSync(join(tmpdir(), 'h2-ca-'))
  const authority = await openCertificateAuthority(folder)
  return Object.assign(authority, { [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) })
}

test('run trap 44: HTTP/2 to a port named http1 arrives as HTTP/1.1, with the headers of the contract', async () => {
  await using app = await givenHttp(told)
  await using given = await givenRouter(oneInstance(app.port))
  using client = givenH2Client(given.router.port)
  const seen = JSON.parse((await ask(client, { ':path': '/a?b=%41', cookie: 'a=b', 'x-forwarded-for': '1.2.3.4', 'x-google-a': '1' })).body)
  expect(seen).toMatchObject({
    ':version': '1.1',
    ':url': '/a?b=%41',
    host: 'app.localhost',
    cookie: 'a=b',
    'x-forwarded-for': '1.2.3.4, 127.0.0.1',
    'x-forwarded-proto': 'https',
    forwarded: 'for="127.0.0.1";proto=https',
  })
  expect(seen).not.toHaveProperty('x-google-a')
  expect(given.records).toMatchObject([{ method: 'GET', target: '/a?b=%41', status: 200, instance: 'i1' }])
})

test('run trap 44: a port named h2c gets HTTP/2 with prior knowledge, with the same headers', async () => {
  await using app = await givenH2App((stream, headers) => {
    stream.respond({ ':status': 200, 'set-cookie': ['a=b', 'c=d'], 'cache-control': 'public', server: 'mine' })
    stream.end(JSON.stringify(headers))
  })
  await using given = await givenRouter(h2c(app.port))
  using client = givenH2Client(given.router.port)
  const answer = await ask(client, { ':path': '/a?b', ':method': 'POST', 'x-forwarded-for': '1.2.3.4', te: 'trailers' }, 'body')
  expect(JSON.parse(answer.body)).toMatchObject({
    ':authority': 'app.localhost',
    ':scheme': 'https',
    ':path': '/a?b',
    'x-forwarded-for': '1.2.3.4, 127.0.0.1',
    'x-forwarded-proto': 'https',
    te: 'trailers',
  })
  expect(answer.headers).toMatchObject({ server: 'Google Frontend', 'cache-control': 'private', 'set-cookie': ['a=b', 'c=d'] })
  expect(answer.headers['x-cloud-trace-context']).toBe(given.records[0]?.traceId)
})

test('run trap 51: TRACE and CONNECT are refused, %41 in the path arrives as A, dots and the query as they are', async () => {
  await using app = await givenHttp(told)
  await using h2App = await givenH2App((stream, headers) => {
    stream.respond({ ':status': 200 })
    stream.end(JSON.stringify({ ':url': headers[':path'] }))
  })
  for (const upstream of [oneInstance(app.port), h2c(h2App.port)]) {
    await using given = await givenRouter(upstream)
    using client = givenH2Client(given.router.port)
    expect(JSON.parse((await ask(client, { ':path': '/%41%2e%2e/?q=%41' })).body)).toMatchObject({ ':url': '/A%2e%2e/?q=%41' })
    expect((await ask(client, { ':method': 'TRACE' })).status).toBe(405)
    const tunnel = client.request({ ':method': 'CONNECT', ':authority': 'app.localhost' })
    tunnel.on('error', () => {})
    expect((await once(tunnel, 'response'))[0]).toMatchObject({ ':status': 405 })
    expect((await ask(client, { expect: 'a miracle' })).status).toBe(417)
  }
})

test('an application that asks for the body with 100 gets it then', async () => {
  const events: string[] = []
  const server = http.createServer((_request, response) => response.end('unasked'))
  server.on('checkContinue', (request, response) => {
    events.push('asked')
    response.writeContinue()
    request.resume().on('end', () => response.end('body came'))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  await using given = await givenRouter(oneInstance((server.address() as AddressInfo).port))
  using client = givenH2Client(given.router.port)
  const stream = client.request({ ':path': '/', ':method': 'POST', expect: '100-continue' })
  let text = ''
  stream.on('data', (piece: Buffer) => (text += piece.toString()))
  await once(stream, 'continue')
  expect(events).toEqual(['asked'])
  stream.end('body')
  await once(stream, 'close')
  expect(text).toBe('body came')
  server.closeAllConnections()
  server.close()
})

test('cookies that a client sends in pieces arrive as one', async () => {
  await using app = await givenHttp(told)
  await using given = await givenRouter(oneInstance(app.port))
  using client = givenH2Client(given.router.port)
  expect(JSON.parse((await ask(client, { cookie: ['a=b', 'c=d'] })).body)).toMatchObject({ cookie: 'a=b; c=d' })
})

test('one port takes TLS with h2 or http/1.1 by ALPN, and cleartext HTTP/1.1 and HTTP/2', async () => {
  using authority = await givenAuthority()
  await using app = await givenHttp(told)
  await using given = await givenRouter(oneInstance(app.port), { tlsEnd: await openTlsEnd(authority) })
  const { port } = given.router
  using secure = givenH2Client(port, { ca: authority.certificatePem })
  expect((await ask(secure)).status).toBe(200)
  expect(secure.alpnProtocol).toBe('h2')
  using clear = givenH2Client(port)
  expect((await ask(clear)).status).toBe(200)
  const old = tls.connect({
    port,
    host: '127.0.0.1',
    servername: 'app.localhost',
    ca: authority.certificatePem,
    ALPNProtocols: ['http/1.1'],
  })
  old.write('GET / HTTP/1.1\r\nHost: app.localhost\r\nConnection: close\r\n\r\n')
  expect(String((await once(old, 'data'))[0])).toMatch(/^HTTP\/1.1 200/)
  old.destroy()
  expect(await given.raw('GET / HTTP/1.1\r\nHost: app.localhost\r\nConnection: close\r\n\r\n')).toMatch(/^HTTP\/1.1 200/)
})

test('a client that names no server in TLS, as one that goes to 127.0.0.1, gets a certificate for that, and its service by Host', async () => {
  using authority = await givenAuthority()
  await using app = await givenHttp(told)
  await using given = await givenRouter(oneInstance(app.port), { tlsEnd: await openTlsEnd(authority) })
  const socket = tls.connect({ port: given.router.port, host: '127.0.0.1', ca: authority.certificatePem })
  socket.write('GET / HTTP/1.1\r\nHost: app.localhost\r\nConnection: close\r\n\r\n')
  expect(String((await once(socket, 'data'))[0])).toMatch(/^HTTP\/1.1 200/)
  socket.destroy()
})

test('a preface that comes byte by byte is HTTP/2, a method that begins like it is HTTP/1.1', async () => {
  await using app = await givenHttp(told)
  await using given = await givenRouter(oneInstance(app.port))
  const { port } = given.router
  const socket = net.connect(port, '127.0.0.1')
  socket.setNoDelay(true)
  for (const letter of 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n') {
    socket.write(letter)
    await sleep(2)
  }
  socket.write(Buffer.from('000000040000000000', 'hex'))
  const [settings] = (await once(socket, 'data')) as [Buffer]
  expect(settings[3]).toBe(4) // a SETTINGS frame
  socket.destroy()
  const other = net.connect(port, '127.0.0.1')
  other.write('PR')
  await sleep(20)
  other.write('OPFIND /x HTTP/1.1\r\nHost: app.localhost\r\nConnection: close\r\n\r\n')
  expect(String((await once(other, 'data'))[0])).toMatch(/^HTTP\/1.1 200[\s\S]*PROPFIND/)
  other.destroy()
})

test('a server name that the authority may not vouch for fails the handshake alone', async () => {
  using authority = await givenAuthority()
  await using app = await givenHttp(told)
  await using given = await givenRouter(oneInstance(app.port), { tlsEnd: await openTlsEnd(authority) })
  const socket = tls.connect({ port: given.router.port, host: '127.0.0.1', servername: 'mybank.example', rejectUnauthorized: false })
  expect(await once(socket, 'error')).toBeDefined()
  using client = givenH2Client(given.router.port, { ca: authority.certificatePem })
  expect((await ask(client)).status).toBe(200)
})

test('an :authority that nobody has is misdirected, one of ours without a service is not found, two hosts are refused', async () => {
  await using given = await givenRouter(oneInstance(1))
  using client = givenH2Client(given.router.port)
  expect((await ask(client, { ':authority': 'evil.test' })).status).toBe(421)
  expect(await ask(client, { ':authority': 'other.localhost' })).toMatchObject({
    status: 404,
    body: expect.stringContaining('app.localhost'),
  })
  expect((await ask(client, { ':authority': 'app.localhost', host: 'evil.test' })).status).toBe(400)
  expect((await ask(client, { ':method': 'TRACE' })).status).toBe(405)
  expect((await ask(client, { ':path': '/healthz' })).status).toBe(404)
  expect(given.records).toEqual([])
})

test('a request timeout answers 504 and counts the wait for an instance; no room answers 429, no instance 503', async () => {
  const never: Upstream = {
    id: 'r',
    acquire: (signal) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  }
  await using slow = await givenRouter(never, { route: { timeoutMs: 300 } })
  using first = givenH2Client(slow.router.port)
  expect(await ask(first)).toMatchObject({ status: 504, body: 'upstream request timeout' })
  expect(slow.records).toMatchObject([{ status: 504 }])
  await using full = await givenRouter({ id: 'r', acquire: () => Promise.reject(new CloudError('RESOURCE_EXHAUSTED', 'full', 'Wait.')) })
  using second = givenH2Client(full.router.port)
  expect(await ask(second)).toMatchObject({ status: 429, body: 'Rate exceeded.' })
  for (const upstream of [oneInstance(1), h2c(1)]) {
    await using away = await givenRouter(upstream)
    using third = givenH2Client(away.router.port)
    expect((await ask(third)).status).toBe(503)
    expect(upstream.inFlight).toBe(0)
  }
})

test('run trap 45: on HTTP/2 the application sees that the client went away, over HTTP/1.1 and over h2c', async () => {
  let left = 0
  await using app = await givenHttp((_request, response) => void response.on('close', () => (left += 1)).write('a'))
  await using h2App = await givenH2App((stream) => {
    stream.on('close', () => (left += 1))
    stream.respond({ ':status': 200 })
    stream.write('a')
  })
  for (const upstream of [oneInstance(app.port), h2c(h2App.port)]) {
    left = 0
    await using given = await givenRouter(upstream)
    using client = givenH2Client(given.router.port)
    const stream = client.request({ ':path': '/' })
    stream.on('error', () => {})
    await once(stream, 'data')
    stream.close(http2Cancel)
    await vi.waitFor(() => expect(left).toBe(1))
    await vi.waitFor(() => expect(upstream.inFlight).toBe(0))
    expect(given.records).toHaveLength(1)
  }
})

test('run trap 46: a request body of 33 MiB is accepted on h2c, by an HTTP/2 client', async () => {
  await using app = await givenH2App((stream) => {
    let bytes = 0
    stream.on('data', (piece: Buffer) => (bytes += piece.length))
    stream.on('end', () => {
      stream.respond({ ':status': 200 })
      stream.end(String(bytes))
    })
  })
  await using given = await givenRouter(h2c(app.port), { route: { timeoutMs: 60_000 } })
  using client = givenH2Client(given.router.port)
  const size = 33 * 2 ** 20
  expect((await ask(client, { ':method': 'POST' }, Buffer.alloc(size))).body).toBe(String(size))
  expect(given.records).toMatchObject([{ requestBytes: size }])
})

test('run trap 46: to a port named http1 a request of 33 MiB is refused, a response of 33 MiB with its length fails, one in chunks passes', async () => {
  const size = 33 * 2 ** 20
  await using app = await givenHttp((request, response) => {
    if (request.url === '/length') response.setHeader('content-length', size)
    request.resume().on('end', () => response.end(Buffer.alloc(size)))
    if (request.url === '/chunks') response.flushHeaders()
  })
  const upstream = oneInstance(app.port)
  await using given = await givenRouter(upstream, { route: { timeoutMs: 60_000 } })
  using client = givenH2Client(given.router.port)
  expect(await ask(client, { ':method': 'POST' }, Buffer.alloc(size))).toMatchObject({ status: 413 })
  expect(await ask(client, { ':method': 'POST', 'content-length': size }, Buffer.alloc(size))).toMatchObject({ status: 413 })
  expect((await ask(client, { ':path': '/length' })).status).toBe(500)
  expect((await ask(client, { ':path': '/chunks' })).body.length).toBe(size)
  expect(upstream.inFlight).toBe(0)
})

test('the gate is asked, its page is shown, and what it replaces reaches the application', async () => {
  await using app = await givenHttp(told)
  await using given = await givenRouter(oneInstance(app.port), {
    route: {
      gate: async ({ authorization, target, origin }) =>
        authorization === 'Bearer good'
          ? { kind: 'pass', replace: { authorization: `Bearer ${origin}` } }
          : { kind: 'refuse', status: 401, html: `<p>no ${target}`, wwwAuthenticate: 'Bearer' },
    },
  })
  using client = givenH2Client(given.router.port)
  expect(await ask(client, { ':path': '/a' })).toMatchObject({ status: 401, body: '<p>no /a', headers: { 'www-authenticate': 'Bearer' } })
  expect(JSON.parse((await ask(client, { authorization: 'Bearer good' })).body)).toMatchObject({ authorization: 'Bearer front' })
})

test('run trap 50: session affinity binds a client by its cookie', async () => {
  await using app = await givenHttp(told)
  const preferred: (string | undefined)[] = []
  const upstream: Upstream = {
    id: 'r1',
    async acquire(_signal, wanted) {
      preferred.push(wanted)
      return { instance: wanted ?? 'i1', address: { host: '127.0.0.1', port: app.port }, release() {} }
    },
  }
  await using given = await givenRouter(upstream, { route: { sessionAffinity: true } })
  using client = givenH2Client(given.router.port)
  const [cookie = ''] = (await ask(client)).headers['set-cookie'] ?? []
  expect(cookie).toMatch(/^devcloud-|^GAESA=/)
  const second = await ask(client, { cookie: cookie.split(';')[0] ?? '' })
  expect(second.headers['set-cookie']).toBeUndefined()
  expect(preferred).toEqual([undefined, 'i1'])
})

test('run trap 21: a run.app host in cleartext is led to https', async () => {
  await using given = await givenRouter(oneInstance(1), { route: { hosts: ['app-x-uc.a.run.app'] } })
  using client = givenH2Client(given.router.port, { host: 'app-x-uc.a.run.app' })
  const answer = await ask(client, { ':path': '/a?b' })
  expect(answer).toMatchObject({ status: 302, headers: { location: `https://app-x-uc.a.run.app:${given.router.port}/a?b` } })
})

test('a browser gets public origins replaced, even those cut in two, from an instance of either protocol; another client does not', async () => {
  const origin = { from: 'https://storage.googleapis.com', to: 'http://storage.localhost:45123' }
  const pieces = ['<img src="https://stor', 'age.googleapis.com/a.png"><a href="https://', 'example.com">']
  await using app = await givenHttp((request, response) => {
    response.setHeader('content-type', 'text/html')
    for (const [n, piece] of pieces.entries()) setTimeout(() => response.write(piece), n * 5)
    setTimeout(() => response.end(), pieces.length * 5)
    request.resume()
  })
  await using h2App = await givenH2App((stream) => {
    stream.respond({ ':status': 200, 'content-type': 'text/html' })
    for (const [n, piece] of pieces.entries()) setTimeout(() => stream.write(piece), n * 5)
    setTimeout(() => stream.end(), pieces.length * 5)
  })
  for (const upstream of [oneInstance(app.port), h2c(h2App.port)]) {
    await using given = await givenRouter(upstream, { publicOrigins: () => [origin] })
    using client = givenH2Client(given.router.port)
    const seen = await ask(client, { 'sec-fetch-site': 'none', 'sec-fetch-dest': 'document' })
    expect(seen.body).toBe('<img src="http://storage.localhost:45123/a.png"><a href="https://example.com">')
    expect((await ask(client)).body).toBe(pieces.join(''))
  }
})

test('a client that does not read stops the application from writing', async () => {
  let written = 0
  const piece = Buffer.alloc(1 << 16)
  await using app = await givenHttp((_request, response) => {
    const more = () => {
      while (!response.destroyed && response.write(piece)) written += piece.length
    }
    response.on('drain', more).on('error', () => {})
    more()
  })
  await using h2App = await givenH2App((stream) => {
    stream.respond({ ':status': 200 })
    const more = () => {
      while (!stream.destroyed && stream.write(piece)) written += piece.length
    }
    stream.on('drain', more)
    more()
  })
  for (const upstream of [oneInstance(app.port), h2c(h2App.port)]) {
    written = 0
    await using given = await givenRouter(upstream)
    using client = givenH2Client(given.router.port)
    const stream = client.request({ ':path': '/' })
    stream.on('error', () => {})
    await once(stream, 'response')
    let before = -1
    await vi.waitFor(
      async () => {
        before = written
        await sleep(200)
        expect(written).toBe(before)
      },
      { timeout: 5000 },
    )
    expect(written).toBeLessThan(24 << 20)
  }
})

test('an application that closes its HTTP/2 connection politely loses no request', async () => {
  await using app = await givenH2App((stream) => {
    stream.respond({ ':status': 200 })
    stream.end('ok')
    setImmediate(() => stream.session?.close())
  })
  await using given = await givenRouter(h2c(app.port))
  using client = givenH2Client(given.router.port)
  for (let n = 0; n < 20; n += 1) expect((await ask(client)).body).toBe('ok')
})

test('calls with a body are sent again when the application refuses them: it says goodbye, or takes few streams at a time', async () => {
  let refused = 0
  const answer = (stream: ServerHttp2Stream) => {
    let bytes = 0
    stream.on('data', (piece: Buffer) => (bytes += piece.length))
    stream.on('end', () => {
      stream.respond({ ':status': 200 })
      stream.end(String(bytes))
    })
  }
  await using goodbye = await givenH2App((stream) => {
    answer(stream)
    stream.session?.close() // what comes behind is above the last stream of its GOAWAY
  })
  await using few = await givenH2App((stream) => {
    refused += 1
    if (refused % 2 === 1) return stream.close(http2Refused)
    answer(stream)
  })
  for (const app of [goodbye, few]) {
    const upstream = h2c(app.port)
    await using given = await givenRouter(upstream)
    using client = givenH2Client(given.router.port)
    for (let round = 0; round < 5; round += 1) {
      const answers = await Promise.all(Array.from({ length: 8 }, () => ask(client, { ':method': 'POST' }, 'hello')))
      expect(answers.map(({ body }) => body)).toEqual(Array.from({ length: 8 }, () => '5'))
    }
    expect(upstream.inFlight).toBe(0)
  }
  expect(refused).toBeGreaterThan(40)
})

test('trailers of an application on h2c reach the client; so does an answer before the body ended', async () => {
  await using app = await givenH2App((stream, headers) => {
    if (headers[':path'] === '/early') {
      stream.respond({ ':status': 413 })
      return stream.end('enough')
    }
    stream.respond({ ':status': 200 }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '42' }))
    stream.end('body')
  })
  await using given = await givenRouter(h2c(app.port))
  using client = givenH2Client(given.router.port)
  const stream = client.request({ ':path': '/' })
  stream.resume()
  expect((await once(stream, 'trailers'))[0]).toMatchObject({ 'x-sum': '42' })
  const upload = client.request({ ':path': '/early', ':method': 'POST' })
  upload.on('error', () => {})
  upload.write('some')
  let text = ''
  upload.setEncoding('utf8').on('data', (piece: string) => (text += piece))
  await new Promise<void>((resolve) => void upload.on('close', resolve))
  expect(text).toBe('enough')
})

test('an instance that dies in the middle of an answer resets the stream: what came does not look whole', async () => {
  await using app = await givenHttp((request, response) => {
    response.write('half')
    setTimeout(() => request.socket.destroy(), 50)
  })
  await using given = await givenRouter(oneInstance(app.port))
  using client = givenH2Client(given.router.port)
  expect(await ask(client)).toMatchObject({ status: 200, body: 'half', rstCode: 2 })
})

test('an upload that the client breaks off does not look whole to the application', async () => {
  let events: string[] = []
  await using app = await givenHttp((request) => {
    request.resume().on('end', () => events.push('end'))
    request.on('close', () => events.push('close')).on('error', () => {})
  })
  await using h2App = await givenH2App((stream) => {
    stream.resume().on('end', () => events.push(stream.aborted ? 'aborted end' : 'end'))
    stream.on('close', () => events.push('close'))
  })
  for (const upstream of [oneInstance(app.port), h2c(h2App.port)]) {
    events = []
    await using given = await givenRouter(upstream)
    using client = givenH2Client(given.router.port)
    const stream = client.request({ ':path': '/', ':method': 'POST' })
    stream.on('error', () => {})
    stream.write('half of it')
    await vi.waitFor(() => expect(upstream.inFlight).toBe(1))
    await sleep(50)
    addAbortSignal(AbortSignal.abort(), stream)
    await vi.waitFor(() => expect(events).toContain('close'))
    expect(events).not.toContain('end')
  }
})

test('a whole HTTP/1.1 connection beside is not disturbed by one that breaks HTTP/2', async () => {
  await using app = await givenHttp(told)
  await using given = await givenRouter(oneInstance(app.port))
  await talk(given.router.port, Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), Buffer.alloc(100, 0xff)]))
  using client = givenH2Client(given.router.port)
  expect((await ask(client)).status).toBe(200)
})

const http2Cancel = 8
const http2Refused = 7
