import { once } from 'node:events'
import net from 'node:net'
import { expect, test, vi } from 'vitest'
import type { Upstream } from '../../../src/router/upstream.ts'
import { ask, givenH2App, givenH2Client } from './given-h2.ts'
import { givenBackend, givenRouter, oneInstance, talk } from '../given-router.ts'

const h2c = (port: number): Upstream & { inFlight: number } => Object.assign(oneInstance(port), { protocol: 'h2c' as const })

const get = (path = '/', headers = '') => `GET ${path} HTTP/1.1\r\nHost: app.localhost:8080\r\nConnection: close\r\n${headers}\r\n`

async function givenEcho() {
  const app = await givenH2App((stream, headers) => {
    if (headers[':method'] === 'HEAD') return stream.respond({ ':status': 200, 'content-length': '7' }, { endStream: true })
    if (headers[':path'] === '/none') return stream.respond({ ':status': 204 }, { endStream: true })
    if (headers[':path'] === '/empty') return stream.respond({ ':status': 200 }, { endStream: true })
    if (headers[':path'] === '/headers') {
      stream.respond({ ':status': 200, 'set-cookie': 'a=b; Secure' })
      return stream.end(JSON.stringify(headers))
    }
    let bytes = 0
    stream.on('data', (piece: Buffer) => (bytes += piece.length))
    stream.on('end', () => {
      stream.respond({ ':status': 200, 'content-type': 'text/plain' }, { waitForTrailers: true })
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '1' }))
      stream.end(`${headers[':method']} ${bytes} bytes`)
    })
  })
  const upstream = h2c(app.port)
  const given = await givenRouter(upstream, { route: { timeoutMs: 60_000 } })
  return {
    upstream,
    given,
    async [Symbol.asyncDispose]() {
      await given[Symbol.asyncDispose]()
      await app[Symbol.asyncDispose]()
    },
  }
}

test('run trap 44: a client of HTTP/1.1 reaches a port named h2c as HTTP/2, with the headers of the contract', async () => {
  await using echo = await givenEcho()
  const text = await echo.given.raw(get('/headers', 'X-Forwarded-For: 1.2.3.4\r\nOrigin: http://app.localhost:8080\r\nX-Mixed-Case: 1\r\n'))
  expect(text).toMatch(/^HTTP\/1.1 200 OK\r\n[\s\S]*Server: Google Frontend/)
  expect(text).toContain('set-cookie: a=b\r\n')
  expect(text).toContain('":authority":"app.localhost"')
  expect(text).toContain('"x-forwarded-for":"1.2.3.4, 127.0.0.1"')
  expect(text).toContain('"origin":"https://app.localhost"')
  expect(text).toContain('"x-mixed-case":"1"')
  expect(text).not.toContain('"connection"')
  expect(echo.given.records).toMatchObject([{ status: 200, target: '/headers' }])
  expect(echo.upstream.inFlight).toBe(0)
})

test('bodies arrive whole, with a length and in chunks, and a connection carries one request after another', async () => {
  await using echo = await givenEcho()
  const text = await echo.given.raw(
    'POST /a HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: 5\r\n\r\nhello' +
      'POST /b HTTP/1.1\r\nHost: app.localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n' +
      'HEAD /c HTTP/1.1\r\nHost: app.localhost\r\n\r\n' +
      'GET /none HTTP/1.1\r\nHost: app.localhost\r\n\r\n' +
      'GET /empty HTTP/1.1\r\nHost: app.localhost\r\n\r\n' +
      get('/last'),
  )
  expect(text.match(/HTTP\/1.1 \d+/g)).toEqual([200, 200, 200, 204, 200, 200].map((status) => `HTTP/1.1 ${status}`))
  expect(text).toContain('c\r\nPOST 5 bytes\r\n0\r\n\r\n')
  expect(text).toContain('c\r\nPOST 7 bytes\r\n0\r\n\r\n')
  expect(text).toContain('Content-Length: 7\r\n')
  expect(text).toContain('Content-Length: 0\r\n')
  expect(text).toMatch(/GET 0 bytes\r\n0\r\n\r\n$/)
})

test('run trap 46: a request body of 33 MiB is accepted on h2c, by an HTTP/1.1 client', async () => {
  await using echo = await givenEcho()
  const size = 33 * 2 ** 20
  const head = `POST / HTTP/1.1\r\nHost: app.localhost\r\nConnection: close\r\nContent-Length: ${size}\r\n\r\n`
  expect(await talk(echo.given.router.port, Buffer.concat([Buffer.from(head), Buffer.alloc(size)]))).toContain(`POST ${size} bytes`)
})

test('a response streams unbuffered, and one that breaks off does not look whole', async () => {
  await using app = await givenH2App((stream) => {
    stream.respond({ ':status': 200, 'content-type': 'text/event-stream' })
    stream.write('data: 1\n\n')
    setTimeout(() => stream.session?.destroy(), 200)
  })
  await using given = await givenRouter(h2c(app.port))
  const socket = net.connect(given.router.port, '127.0.0.1', () => socket.write(get()))
  let text = ''
  let closed = false
  socket.on('data', (data) => (text += data.toString()))
  socket.on('close', () => (closed = true)).on('error', () => {})
  await vi.waitFor(() => expect(text).toContain('data: 1\n\n'))
  expect(closed).toBe(false)
  await vi.waitFor(() => expect(closed).toBe(true))
  expect(text).not.toContain('\r\n0\r\n\r\n')
})

test('an instance that is away answers 503', async () => {
  const upstream = h2c(1)
  await using given = await givenRouter(upstream)
  expect(await given.raw(get())).toMatch(/^HTTP\/1.1 503 [\s\S]*connection to the instance had an error/)
  expect(upstream.inFlight).toBe(0)
})

test('an instance on h2c that speaks HTTP/1.1, garbage, or flow control that overflows, answers 503 to both clients', async () => {
  const settings = Buffer.from('000000040000000000', 'hex')
  const overflow = Buffer.concat([settings, Buffer.from('0000040800000000007fffffff', 'hex')])
  for (const bytes of [Buffer.from('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n'), Buffer.alloc(100, 0xff), overflow]) {
    await using app = await givenBackend((text, socket) => {
      if (text.startsWith('PRI')) socket.write(bytes)
      if (bytes === overflow) socket.end()
    })
    const upstream = h2c(app.port)
    await using given = await givenRouter(upstream)
    expect(await given.raw(get())).toMatch(/^HTTP\/1.1 503 /)
    using client = givenH2Client(given.router.port)
    expect((await ask(client)).status).toBe(503)
    expect(upstream.inFlight).toBe(0)
  }
})

test('a client that leaves in the middle of its upload resets the stream, and frees the instance', async () => {
  const events: string[] = []
  await using app = await givenH2App((stream) => {
    stream.resume().on('end', () => events.push(stream.aborted ? 'aborted end' : 'end'))
    stream.on('close', () => events.push('close'))
  })
  const upstream = h2c(app.port)
  await using given = await givenRouter(upstream)
  const socket = net.connect(given.router.port, '127.0.0.1')
  socket.write('POST / HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: 10\r\n\r\nhalf')
  await once(socket, 'connect')
  await vi.waitFor(() => expect(upstream.inFlight).toBe(1))
  await new Promise((resolve) => setTimeout(resolve, 50))
  socket.destroy()
  await vi.waitFor(() => expect(events).toContain('close'))
  expect(events).not.toContain('end')
  await vi.waitFor(() => expect(upstream.inFlight).toBe(0))
})

test('run trap 45: a client of HTTP/1.1 that leaves is not seen by the application, whose answer is thrown away', async () => {
  let answer = () => {}
  const events: string[] = []
  await using app = await givenH2App((stream) => {
    stream.on('aborted', () => events.push('aborted')).on('close', () => events.push('close'))
    answer = () => {
      events.push('answered')
      stream.respond({ ':status': 200 })
      stream.end('late')
    }
  })
  const upstream = h2c(app.port)
  await using given = await givenRouter(upstream)
  const socket = net.connect(given.router.port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nHost: app.localhost\r\n\r\n'))
  await vi.waitFor(() => expect(upstream.inFlight).toBe(1))
  await new Promise((resolve) => setTimeout(resolve, 50))
  socket.destroy()
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(events).toEqual([])
  answer()
  await vi.waitFor(() => expect(upstream.inFlight).toBe(0))
  await vi.waitFor(() => expect(events).toEqual(['answered', 'close']))
})
