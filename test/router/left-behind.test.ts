import http, { type ServerResponse } from 'node:http'
import type { ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import { givenClock } from './given-clock.ts'
import { givenRouter, oneInstance, type GivenRouter } from './given-router.ts'
import { ask, givenH2App, givenH2Client } from './h2/given-h2.ts'

/** A handler that does nothing by itself, and what came of it. */
interface Handler {
  head(headers: Readonly<Record<string, string | number>>): void
  body(data: Buffer): void
  end(): void
  readonly isOver: boolean
  readonly isCut: boolean
}

interface App extends AsyncDisposable {
  readonly port: number
  readonly handlers: readonly Handler[]
  connections(): number
}

async function givenHttp1(): Promise<App> {
  const handlers: Handler[] = []
  let connections = 0
  const server = http.createServer((request, response) => void handlers.push(toHandler(request.resume() && response)))
  server.on('connection', () => (connections += 1))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    handlers,
    connections: () => connections,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => void (server.closeAllConnections(), server.close(() => resolve()))),
  }
}

function toHandler(response: ServerResponse): Handler {
  let isOver = false
  response.on('close', () => (isOver = true))
  return {
    head: (headers) => void response.writeHead(200, headers).flushHeaders(),
    body: (data) => void response.write(data),
    end: () => void response.end(),
    get isOver() {
      return isOver
    },
    get isCut() {
      return isOver && !response.writableFinished
    },
  }
}

async function givenH2c(): Promise<App> {
  const handlers: Handler[] = []
  const app = await givenH2App((stream) => void handlers.push(toH2Handler(stream.resume())))
  return Object.assign(app, { handlers, connections: () => app.sessions.size })
}

function toH2Handler(stream: ServerHttp2Stream): Handler {
  return {
    head: (headers) => stream.respond({ ':status': 200, ...headers }),
    body: (data) => void stream.write(data),
    end: () => void stream.end(),
    get isOver() {
      return stream.closed
    },
    get isCut() {
      return stream.closed && stream.rstCode !== 0
    },
  }
}

type Status = (given: GivenRouter, method?: string) => Promise<number>

const clients: readonly [string, Status][] = [
  [
    'HTTP/1.1',
    async (given, method = 'GET') => {
      const more = method === 'POST' ? 'Transfer-Encoding: chunked\r\n' : 'Connection: close\r\n'
      const text = await given.raw(`${method} / HTTP/1.1\r\nHost: app.localhost\r\n${more}\r\n`)
      return Number(text.slice(9, 12))
    },
  ],
  [
    'HTTP/2',
    async (given, method = 'GET') => {
      using client = givenH2Client(given.router.port)
      if (method === 'GET') return (await ask(client)).status
      const stream = client.request({ ':path': '/', ':method': method })
      stream.on('error', () => {})
      return await new Promise((resolve) => stream.on('response', (headers) => resolve(Number(headers[':status']))))
    },
  ],
]
const apps = [
  ['http1', givenHttp1],
  ['h2c', givenH2c],
] as const

const timeoutMs = 60_000

for (const [client, statusOf] of clients) {
  for (const [port, givenApp] of apps) {
    const where = `a client of ${client}, a port named ${port}`
    const given = async () => {
      const app = await givenApp()
      const upstream = Object.assign(oneInstance(app.port), { protocol: port })
      const clock = givenClock()
      const router = await givenRouter(upstream, { clock, route: { timeoutMs } })
      return {
        router,
        upstream,
        handlers: app.handlers,
        connections: app.connections,
        /** `count` handlers have begun. */
        begun: (count: number) => vi.waitFor(() => expect(app.handlers).toHaveLength(count), 5000),
        timeOut: () => clock.forward(timeoutMs + 1),
        free: (inFlight = 0) => vi.waitFor(() => expect(upstream.inFlight).toBe(inFlight), 5000),
        async [Symbol.asyncDispose]() {
          await router[Symbol.asyncDispose]()
          await app[Symbol.asyncDispose]()
        },
      }
    }

    test(`run trap 15: after a 504 the handler goes on, its slot taken, and its connection serves the next request: ${where}`, async () => {
      await using at = await given()
      const answer = statusOf(at.router)
      await at.begun(1)
      at.timeOut()
      expect(await answer).toBe(504)
      const [handler] = at.handlers
      expect([at.upstream.inFlight, handler?.isOver]).toEqual([1, false])
      handler?.head({ 'content-length': 4 })
      handler?.body(Buffer.from('done'))
      handler?.end()
      await at.free()
      expect(handler?.isCut).toBe(false)
      const next = statusOf(at.router)
      await at.begun(2)
      at.handlers[1]?.head({ 'content-length': 0 })
      at.handlers[1]?.end()
      expect(await next).toBe(200)
      expect(at.connections()).toBe(1)
      expect(at.router.records.map(({ status }) => status)).toEqual([504, 200])
    })

    test(`run trap 15: a handler that never ends is cut when its time has passed once more: ${where}`, async () => {
      await using at = await given()
      const answer = statusOf(at.router)
      await at.begun(1)
      at.timeOut()
      expect(await answer).toBe(504)
      expect(at.upstream.inFlight).toBe(1)
      at.timeOut()
      await at.free()
      await vi.waitFor(() => expect(at.handlers[0]?.isOver).toBe(true))
    })

    test(`run trap 15: a handler that goes on is cut once it says more than 32 MiB, or starts an event stream: ${where}`, async () => {
      await using at = await given()
      const answers = [statusOf(at.router), statusOf(at.router)]
      await at.begun(2)
      at.timeOut()
      await Promise.all(answers)
      expect(at.upstream.inFlight).toBe(2)
      at.handlers[0]?.head({ 'content-type': 'text/event-stream' })
      await at.free(1)
      at.handlers[1]?.head({})
      for (let n = 0; n < 33; n += 1) at.handlers[1]?.body(Buffer.alloc(2 ** 20))
      await at.free()
      await vi.waitFor(() => expect(at.handlers.every(({ isOver }) => isOver)).toBe(true))
    })

    test(`a request without its end is cut at its timeout: ${where}`, async () => {
      await using at = await given()
      const answer = statusOf(at.router, 'POST')
      await at.begun(1)
      at.timeOut()
      expect(await answer).toBe(504)
      await at.free()
      await vi.waitFor(() => expect(at.handlers[0]?.isOver).toBe(true))
    })

    test(`a response that has begun goes on without its client when its length is known, and is cut when not: ${where}`, async () => {
      await using at = await given()
      const answers = [statusOf(at.router), statusOf(at.router)]
      await at.begun(2)
      const [known, unknown] = at.handlers
      known?.head({ 'content-length': 4 })
      unknown?.head({})
      await sleep(50)
      at.timeOut()
      await Promise.all(answers)
      await vi.waitFor(() => expect(unknown?.isOver).toBe(true))
      expect([known?.isOver, at.upstream.inFlight]).toEqual([false, 1])
      known?.body(Buffer.from('done'))
      known?.end()
      await at.free()
      expect(known?.isCut).toBe(false)
      expect(at.router.records.map(({ status }) => status)).toEqual([504, 504])
    })
  }
}
