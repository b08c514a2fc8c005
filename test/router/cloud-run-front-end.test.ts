import http, { type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { until } from '../../src/base/clock.ts'
import type { GateRequest, Upstream } from '../../src/router/upstream.ts'
import { givenBackend, givenRouter, oneInstance } from './given-router.ts'
import { givenSocket } from './given-socket.ts'

const mib = 2 ** 20
const get = (path = '/', headers = '') => `GET ${path} HTTP/1.1\r\nHost: app.localhost:8080\r\nConnection: close\r\n${headers}\r\n`
const settled = (probe: () => boolean) => until(async () => probe() || undefined, 5, AbortSignal.timeout(5000))

async function givenHttp(listener: RequestListener) {
  const server = http.createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => void (server.closeAllConnections(), server.close(() => resolve()))),
  }
}

async function seenHeaders(headers: string): Promise<Record<string, string>> {
  await using app = await givenHttp((incoming, response) => response.end(JSON.stringify(incoming.headers)))
  await using given = await givenRouter(oneInstance(app.port))
  const text = await given.raw(get('/', headers))
  return JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4)) as Record<string, string>
}

test('run trap 21: plain http of a run.app host is led to https with the same path and query; localhost is served', async () => {
  await using app = await givenHttp((_request, response) => response.end('served'))
  const hosts = ['app.localhost', 'app-x7k2-uc.a.run.app']
  await using given = await givenRouter(oneInstance(app.port), { route: { hosts } })
  const redirect = await given.raw('GET /a/%2e?b=c&d HTTP/1.1\r\nHost: app-x7k2-uc.a.run.app:8080\r\n\r\n')
  expect(redirect).toMatch(/^HTTP\/1\.1 302 Found\r\n/)
  expect(redirect).toContain('\r\nLocation: https://app-x7k2-uc.a.run.app:8080/a/%2e?b=c&d\r\n')
  expect(given.records).toHaveLength(0)
  expect(await given.raw(get('/a'))).toContain('served')
})

test("run trap 23: what a client says of forwarding is kept as any header's, but for what the front end says itself", async () => {
  const headers = await seenHeaders(
    'X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-For: 5.6.7.8\r\nX-Forwarded-Host: mine.test\r\nX-Google-Secret: 1\r\n',
  )
  expect(headers['x-forwarded-for']).toBe('1.2.3.4, 5.6.7.8, 127.0.0.1')
  expect(headers['x-forwarded-host']).toBe('mine.test')
  expect(headers).not.toHaveProperty('x-forwarded-port')
  expect(headers).not.toHaveProperty('x-google-secret')
  expect(await seenHeaders('Connection: x-forwarded-for\r\n')).toHaveProperty('x-forwarded-for')
})

test('run trap 24: a trace goes on from either header, traceparent first, and its span is one number in two notations', async () => {
  const [a, b, span] = ['a'.repeat(32), 'b'.repeat(32), 'c'.repeat(16)]
  const google = await seenHeaders(`X-Cloud-Trace-Context: ${b}/123;o=1\r\n`)
  expect(google['traceparent']).toMatch(new RegExp(`^00-${b}-[0-9a-f]{16}-01$`))
  const both = await seenHeaders(`X-Cloud-Trace-Context: ${b}/123;o=1\r\ntraceparent: 00-${a}-${span}-01\r\n`)
  expect(both['x-cloud-trace-context']).toMatch(new RegExp(`^${a}/`))
  const hex = both['traceparent']?.split('-')[2] ?? ''
  expect(both['x-cloud-trace-context']).toBe(`${a}/${BigInt(`0x${hex}`)};o=1`)
  for (const bad of ['X-Cloud-Trace-Context: mine/1\r\n', `traceparent: 00-${'0'.repeat(32)}-${span}-01\r\n`, 'traceparent: 01-a-b-01\r\n'])
    expect((await seenHeaders(bad))['x-cloud-trace-context']).toMatch(/^(?!0{32})[0-9a-f]{32}\/\d+;o=1$/)
})

test('every request of a connection that repeats itself has a trace of its own', async () => {
  const traces = new Set<unknown>()
  await using app = await givenHttp((request, response) => {
    traces.add(request.headers['traceparent'])
    response.end('ok')
  })
  await using given = await givenRouter(oneInstance(app.port))
  const text = await given.raw(get().replace('Connection: close\r\n', '').repeat(600) + get(), undefined)
  expect(traces.size).toBe(601)
  expect(new Set(text.match(/X-Cloud-Trace-Context: \w+/g)).size).toBe(601)
})

test('run trap 46: a request of 33 MiB is refused, one of 32 MiB is not', async () => {
  let begun = 0
  await using app = await givenHttp((request, response) => {
    begun += 1
    let bytes = 0
    request.on('data', (data: Buffer) => (bytes += data.length)).on('end', () => response.end(String(bytes)))
  })
  const upstream = oneInstance(app.port)
  await using given = await givenRouter(upstream)
  const told = await given.raw(`POST / HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: ${33 * mib}\r\n\r\n`)
  expect(told).toMatch(/^HTTP\/1\.1 413 /)
  expect(begun).toBe(0)

  const head = 'POST / HTTP/1.1\r\nHost: app.localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n'
  const chunk = Buffer.from(`100000\r\n${'x'.repeat(mib)}\r\n`)
  const last = Buffer.from('0\r\n\r\n')
  const chunks = (count: number) => Buffer.concat([Buffer.from(head), ...Array.from({ length: count }, () => chunk), last])
  expect(await given.raw(chunks(33))).toMatch(/^HTTP\/1\.1 413 /)
  expect(await given.raw(chunks(32))).toContain(`\r\n\r\n${32 * mib}`)
  await settled(() => upstream.inFlight === 0)
  expect(given.records.map(({ status }) => status)).toEqual([413, 413, 200])
})

test('run trap 46: a response of 33 MiB passes in chunks, with Content-Length it fails', async () => {
  await using app = await givenHttp((request, response) => {
    if (request.url === '/length') response.setHeader('content-length', 33 * mib)
    for (let n = 0; n < 33; n += 1) response.write(Buffer.alloc(mib, 'x'))
    response.end()
  })
  await using given = await givenRouter(oneInstance(app.port))
  const failed = await given.raw(get('/length'))
  expect(failed).toMatch(/^HTTP\/1\.1 500 [\s\S]*larger than 32 MiB/)
  expect(failed.length).toBeLessThan(2000)
  expect((await given.raw(get('/chunks'))).length).toBeGreaterThan(33 * mib)
})

test('run trap 45: an application is not told of an HTTP/1 client that went away before the answer', async () => {
  let aborted = false
  const finished = Promise.withResolvers<IncomingMessage>()
  await using app = await givenHttp((request, response) => {
    response.on('close', () => (aborted = !response.writableFinished))
    request.resume()
    setTimeout(() => response.end('done', () => finished.resolve(request)), 400)
  })
  const upstream = oneInstance(app.port)
  await using given = await givenRouter(upstream)
  {
    await using client = await givenSocket(given.router.port)
    client.socket.write(get('/'))
    await settled(() => upstream.inFlight === 1)
    client.socket.resetAndDestroy()
  }
  await finished.promise
  expect(aborted).toBe(false)
  await settled(() => upstream.inFlight === 0)
  expect(given.records.map(({ status }) => status)).toEqual([499])
})

test('run trap 45: a WebSocket is cut at the request timeout', async () => {
  await using app = await givenBackend((text, socket) => {
    if (text.endsWith('\r\n\r\n'))
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhello')
  })
  const upstream = oneInstance(app.port)
  await using given = await givenRouter(upstream, { route: { timeoutMs: 300 } })
  const text = await given.raw('GET / HTTP/1.1\r\nHost: app.localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
  expect(text).toMatch(/^HTTP\/1\.1 101 [\s\S]*hello$/)
  expect(upstream.inFlight).toBe(0)
  expect(given.records.map(({ status }) => status)).toEqual([504])
})

test('run trap 51: escaped letters of the path arrive as letters, all else as it was sent', async () => {
  const urls: string[] = []
  await using app = await givenHttp((request, response) => {
    urls.push(request.url ?? '')
    response.end()
  })
  await using given = await givenRouter(oneInstance(app.port))
  const sent = ['/%41%62%39%2D%5F%7e', '/a%2Fb%20c%25%3F', '/%2541', '/%2e%2E/%2e', '/a?b=%41', '/%4', '/%zz', '/%C3%A9']
  for (const path of sent) await given.raw(get(path))
  expect(urls).toEqual(['/Ab9-_~', '/a%2Fb%20c%25%3F', '/%2541', '/%2e%2E/%2e', '/a?b=%41', '/%4', '/%zz', '/%C3%A9'])
})

test('run trap 55: a response that nobody reads stays with the application', async () => {
  let written = 0
  await using app = await givenHttp((_request, response) => {
    const more = () => {
      while (written < 50 * mib) {
        written += mib
        if (!response.write(Buffer.alloc(mib))) return void response.once('drain', more)
      }
      response.end()
    }
    more()
  })
  await using given = await givenRouter(oneInstance(app.port))
  await using client = await givenSocket(given.router.port)
  client.socket.pause()
  client.socket.write(get('/'))
  await settled(() => written > 0)
  let last = -1
  while (last !== written) {
    last = written
    await sleep(200)
  }
  expect(written).toBeLessThan(25 * mib) // what the kernel's buffers hold
})

/** Two instances; `acquire` honours `preferred`. */
function twoInstances(id: string, ports: readonly number[]): Upstream {
  let next = 0
  return {
    id,
    async acquire(_signal, preferred) {
      const at = preferred === undefined ? next++ % ports.length : Number(preferred)
      return { instance: String(at), address: { host: '127.0.0.1', port: ports[at] ?? 0 }, release() {} }
    },
  }
}

test('run trap 50: 20 requests with the cookie meet one instance and one revision, without it several', async () => {
  await using first = await givenHttp((_request, response) => response.end('<first>'))
  await using second = await givenHttp((_request, response) => response.end('<second>'))
  const targets = ['r1', 'r2'].map((id) => ({ percent: 50, upstream: twoInstances(id, [first.port, second.port]) }))
  await using given = await givenRouter(oneInstance(1), { route: { sessionAffinity: true, targets } })
  const text = await given.raw(get('/'))
  const [, cookie] = /\r\nSet-Cookie: (GAESA=[\w-]+); Max-Age=2592000; Path=\/; HttpOnly\r\n/.exec(text) ?? []
  expect(cookie).toBeDefined()
  expect(text).toContain('\r\nCache-Control: private\r\n')
  for (let n = 0; n < 20; n += 1) {
    const again = await given.raw(get('/', `Cookie: a=b; ${cookie}; c=d\r\n`))
    expect(again).toContain(text.slice(text.indexOf('<')))
    expect(again).not.toContain('Set-Cookie')
    await given.raw(get('/', 'Cookie: GAESA=Zm9yZ2Vk\r\n'))
  }
  const [{ revision, instance } = { revision: '', instance: '' }] = given.records
  const bound = given.records.filter((_record, index) => index % 2 === 1)
  expect(bound.every((record) => record.revision === revision && record.instance === instance)).toBe(true)
  const others = given.records.filter((_record, index) => index % 2 === 0)
  expect(new Set(others.map((record) => record.revision + record.instance)).size).toBeGreaterThan(1)
})

test('the gate sees who calls; what it refuses reaches no instance and is on record, what it replaces reaches the application', async () => {
  await using app = await givenHttp((request, response) => response.end(`<${request.headers.authorization ?? ''}>`))
  const upstream = oneInstance(app.port)
  const asked: GateRequest[] = []
  for (const isAsync of [false, true]) {
    await using given = await givenRouter(upstream, {
      route: {
        gate(request) {
          asked.push(request)
          const answer =
            request.authorization === ''
              ? ({ kind: 'refuse', status: 401, html: '<h1>No</h1>', wwwAuthenticate: 'Bearer' } as const)
              : ({ kind: 'pass', replace: { authorization: 'Bearer a.b.SIGNATURE_REMOVED_BY_GOOGLE' } } as const)
          return isAsync ? sleep(10, answer) : answer
        },
      },
    })
    const refused = await given.raw(get('/x?y'))
    expect(refused).toMatch(/^HTTP\/1\.1 401 [\s\S]*\r\nWWW-Authenticate: Bearer\r\n[\s\S]*<h1>No<\/h1>$/)
    expect(await given.raw(get('/', 'Authorization: Bearer a.b.secret\r\n'))).toContain('<Bearer a.b.SIGNATURE_REMOVED_BY_GOOGLE>')
    expect(given.records.map(({ status, instance }) => [status, instance])).toEqual([
      [401, ''],
      [200, 'i1'],
    ])
  }
  expect(asked[0]).toEqual({ authorization: '', serverlessAuthorization: '', target: '/x?y', origin: 'front' })
})

test('a gate that fails lets nobody in', async () => {
  await using given = await givenRouter(oneInstance(1), { route: { gate: () => Promise.reject(new Error('keys')) } })
  expect(await given.raw(get('/'))).toMatch(/^HTTP\/1\.1 500 /)
})

test('a gate that does not make up its mind is waited for as long as the request may take', async () => {
  await using given = await givenRouter(oneInstance(1), { route: { timeoutMs: 200, gate: () => new Promise(() => {}) } })
  expect(await given.raw(get('/'))).toMatch(/^HTTP\/1\.1 504 /)
})
