import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { until } from '../../src/base/clock.ts'
import { givenClock } from './given-clock.ts'
import { givenBackend, givenRouter, oneInstance } from './given-router.ts'
import { givenSocket } from './given-socket.ts'

const settled = (probe: () => boolean) => until(async () => probe() || undefined, 5, AbortSignal.timeout(8000))
const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

test.each([
  ['a foreign name', 'GET / HTTP/1.1\r\nHost: evil.test\r\n\r\n'],
  ['a name that ends like ours', 'GET / HTTP/1.1\r\nHost: app.localhost.evil.test\r\n\r\n'],
  ['an upgrade', 'GET / HTTP/1.1\r\nHost: evil.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'],
  ['the address of the metadata server', 'GET / HTTP/1.1\r\nHost: 169.254.169.254\r\n\r\n'],
])('S1: %s is answered by 421, and no instance is asked', async (_name, bytes) => {
  const upstream = { id: 'r', acquire: () => Promise.reject(new Error('must not be asked')) }
  await using given = await givenRouter(upstream)
  expect(await given.raw(bytes)).toMatch(/^HTTP\/1\.1 421 /)
})

test('S4: 10,000 heads of random bytes leave the router as it was', async () => {
  await using app = await givenBackend((text, socket) => void (text.endsWith('\r\n\r\n') && socket.write(ok)))
  await using given = await givenRouter(oneInstance(app.port))
  const odd = [
    '%',
    '%E0%A4%A',
    '//',
    '[',
    ']',
    '[::1',
    '@',
    '..',
    '\\',
    '\0',
    '\xff',
    '\x80',
    ':',
    '0',
    'a',
    '.',
    '?',
    '#',
    ' ',
    '\t',
    'xn--',
  ]
  const random = () => Array.from({ length: randomInt(1, 12) }, () => odd[randomInt(odd.length)]).join('')
  const heads = Array.from({ length: 10_000 }, (_, n) => {
    const target = n % 2 === 0 ? `/${random()}` : '/'
    const host = n % 3 === 0 ? 'app.localhost' : random()
    return `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nOrigin: http://${random()}\r\nCookie: ${random()}\r\nConnection: close\r\n\r\n`
  })
  const workers = Array.from({ length: 16 }, async (_, worker) => {
    for (let at = worker; at < heads.length; at += 16) {
      expect(await given.raw(Buffer.from(heads[at] ?? '', 'latin1'))).toMatch(/^HTTP\/1\.1 (200|400|404|421|503) /)
    }
  })
  await Promise.all(workers)
  expect(await given.raw('GET / HTTP/1.1\r\nHost: app.localhost\r\n\r\n', 'ok')).toContain(' 200 ')
}, 60_000)

test('S30: a head that does not come in 15 s is answered by 408, counted from its first byte; so is a body that stands still', async () => {
  await using app = await givenBackend(() => {})
  const clock = givenClock()
  await using given = await givenRouter(oneInstance(app.port), { clock, route: { timeoutMs: 3_600_000 } })
  await using head = await givenSocket(given.router.port)
  await using body = await givenSocket(given.router.port)
  head.socket.write('GET / HTTP/1.1\r\nHost: app')
  body.socket.write('POST / HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: 10\r\n\r\nhello')
  await settled(() => app.seen.join('').endsWith('hello'))
  clock.forward(10_000)
  head.socket.write('.localhost')
  await sleep(300)
  expect(head.text()).toBe('')
  clock.forward(6000)
  expect(await head.closed()).toMatch(/^HTTP\/1\.1 408 /)
  clock.forward(100_000)
  body.socket.write('more')
  await settled(() => app.seen.join('').endsWith('more'))
  clock.forward(100_000)
  await sleep(300)
  expect(body.text()).toBe('')
  clock.forward(30_000)
  expect(await body.closed()).toMatch(/^HTTP\/1\.1 408 /)
})

test('S30: 500 clients that send a byte now and then hold up nobody, and are all sent away', async () => {
  await using app = await givenBackend((text, socket) => void (text.startsWith('GET') && socket.write(ok)))
  const clock = givenClock()
  const upstream = oneInstance(app.port)
  await using given = await givenRouter(upstream, { clock, route: { timeoutMs: 3_600_000 } })
  await using opened = new AsyncDisposableStack()
  const slow = await Promise.all(Array.from({ length: 500 }, () => givenSocket(given.router.port)))
  for (const [index, client] of slow.entries()) {
    opened.use(client)
    client.socket.write(
      index % 2 === 0
        ? 'GET / HTTP/1.1\r\nHost: app.localhost\r\nX: '
        : 'POST / HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: 9\r\n\r\n',
    )
  }
  await settled(() => upstream.inFlight === 250)
  expect(await given.raw('GET / HTTP/1.1\r\nHost: app.localhost\r\nConnection: close\r\n\r\n')).toContain(' 200 ')
  clock.forward(16_000)
  await settled(() => slow.every((client, index) => index % 2 === 1 || client.text().startsWith('HTTP/1.1 408 ')))
  clock.forward(120_000)
  await settled(() => slow.every((client) => client.text().startsWith('HTTP/1.1 408 ')))
  await settled(() => upstream.inFlight === 0)
})

test('S30: an upload of 10 minutes is not cut while it moves and the service has an hour', async () => {
  await using app = await givenBackend((text, socket) => void (text.endsWith('last') && socket.write(ok)))
  const clock = givenClock()
  await using given = await givenRouter(oneInstance(app.port), { clock, route: { timeoutMs: 3_600_000 } })
  await using client = await givenSocket(given.router.port)
  client.socket.write('POST / HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: 54\r\n\r\n')
  for (let n = 0; n < 10; n += 1) {
    client.socket.write('piece')
    const length = 5 * (n + 1)
    await settled(() => (app.seen[0] ?? '').split('\r\n\r\n')[1]?.length === length)
    clock.forward(60_000)
    await sleep(210)
  }
  client.socket.write('last')
  expect(await client.until(/ok$/)).toContain(' 200 ')
}, 20_000)

test('F34: a client that closes its half behind the request still gets the answer', async () => {
  await using app = await givenBackend((_text, socket) => void setTimeout(() => socket.write(ok), 100))
  await using given = await givenRouter(oneInstance(app.port))
  await using client = await givenSocket(given.router.port)
  client.socket.end('GET / HTTP/1.1\r\nHost: app.localhost\r\n\r\n')
  expect(await client.closed()).toMatch(/^HTTP\/1\.1 200 [\s\S]*ok$/)
})

test('F35: readers that take next to nothing hold up nobody else, and little is kept for them', async () => {
  const size = 3 * 2 ** 20
  const server = http.createServer((request, response) => response.end(request.url === '/big' ? Buffer.alloc(size) : 'small'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  await using _app = { [Symbol.asyncDispose]: async () => void (server.closeAllConnections(), server.close()) }
  await using given = await givenRouter(oneInstance((server.address() as AddressInfo).port))
  await using opened = new AsyncDisposableStack()
  for (let n = 0; n < 50; n += 1) {
    const client = opened.use(await givenSocket(given.router.port))
    client.socket.pause()
    client.socket.write('GET /big HTTP/1.1\r\nHost: app.localhost\r\n\r\n')
  }
  await sleep(300)
  expect(await given.raw('GET / HTTP/1.1\r\nHost: app.localhost\r\n\r\n', 'small')).toContain('small')
})

test.each([
  ['a length', 'Content-Length: 1000', 'x'.repeat(100)],
  ['chunks', 'Transfer-Encoding: chunked', '64\r\n' + 'x'.repeat(50)],
])('F36: an upload with %s that breaks off ends the connection to the instance, and its slot is free', async (_name, framing, part) => {
  let closed = 0
  const counted = new WeakSet<object>()
  await using app = await givenBackend((_text, socket) => {
    if (!counted.has(socket)) socket.once('close', () => (closed += 1))
    counted.add(socket)
  })
  const upstream = oneInstance(app.port)
  await using given = await givenRouter(upstream, { route: { timeoutMs: 60_000 } })
  for (const leave of ['reset', 'end'] as const) {
    await using client = await givenSocket(given.router.port)
    client.socket.write(`POST / HTTP/1.1\r\nHost: app.localhost\r\n${framing}\r\n\r\n${part}`)
    await settled(() => upstream.inFlight === 1)
    if (leave === 'reset') client.socket.resetAndDestroy()
    else client.socket.end()
    await settled(() => upstream.inFlight === 0 && closed === (leave === 'reset' ? 1 : 2))
  }
})

test('F37: 1,000 clients that leave within an event stream or a stream of chunks leave no slot taken', async () => {
  let open = 0
  const server = http.createServer((request, response) => {
    open += 1
    response.on('close', () => (open -= 1))
    response.writeHead(200, { 'content-type': request.url === '/events' ? 'text/event-stream' : 'text/plain' }).write('data: 1\n\n')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  await using _app = { [Symbol.asyncDispose]: async () => void (server.closeAllConnections(), server.close()) }
  const upstream = oneInstance((server.address() as AddressInfo).port)
  await using given = await givenRouter(upstream)
  const one = async (n: number) => {
    const client = await givenSocket(given.router.port)
    client.socket.write(`GET /${n % 2 === 0 ? 'events' : 'chunks'} HTTP/1.1\r\nHost: app.localhost\r\n\r\n`)
    await client.until(/data: 1/)
    if (n % 3 === 0) client.socket.resetAndDestroy()
    else client.socket.destroy()
    await (client.socket.closed || once(client.socket, 'close'))
  }
  for (let n = 0; n < 1000; n += 50) await Promise.all(Array.from({ length: 50 }, (_, index) => one(n + index)))
  await settled(() => upstream.inFlight === 0 && open === 0)
  expect(given.records).toHaveLength(1000)
}, 60_000)

test('F37: a tunnel whose client leaves is closed to the instance', async () => {
  const closed = Promise.withResolvers<void>()
  await using app = await givenBackend((_text, socket) => {
    socket.once('close', () => closed.resolve())
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n')
  })
  const upstream = oneInstance(app.port)
  await using given = await givenRouter(upstream)
  await using client = await givenSocket(given.router.port)
  client.socket.write('GET / HTTP/1.1\r\nHost: app.localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
  await client.until(/101/)
  client.socket.resetAndDestroy()
  await closed.promise
  await settled(() => upstream.inFlight === 0)
})

test('S31: what passes after 101 is nobody’s business: a megabyte of frames that no parser takes arrives as it was sent', async () => {
  const frames = Buffer.alloc(2 ** 20, '\xc1\xff\0')
  let bytes = 0
  await using app = await givenBackend((text, socket) => {
    const end = text.indexOf('\r\n\r\n')
    if (bytes === 0) socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n')
    bytes = text.length - end - 4
    if (bytes === frames.length) socket.end('all')
  })
  await using given = await givenRouter(oneInstance(app.port))
  await using client = await givenSocket(given.router.port)
  client.socket.write('GET / HTTP/1.1\r\nHost: app.localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
  client.socket.write(frames)
  expect(await client.until(/all$/)).toMatch(/all$/)
  expect(app.seen[0]?.endsWith(frames.toString('latin1').slice(-1000))).toBe(true)
})
