import { once } from 'node:events'
import http from 'node:http'
import net, { type AddressInfo } from 'node:net'
import { expect, test, vi } from 'vitest'
import { ask, givenH2Client } from './given-h2.ts'
import { givenRouter, oneInstance } from '../given-router.ts'

/** Frames of one attack, the `n`th of them. Source: CVE-2023-44487, CVE-2024-27983, CVE-2019-9511 to 9518. */
type Mode = (n: number) => Buffer

const type = { data: 0, headers: 1, priority: 2, reset: 3, settings: 4, ping: 6, windowUpdate: 8, continuation: 9 } as const
const endStream = 1
const endHeaders = 4

function frame(kind: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = kind
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

/** GET / of app.localhost: fields of HPACK's static table, and the authority as it is. */
const request = Buffer.concat([Buffer.from([0x82, 0x84, 0x86, 0x01, 13]), Buffer.from('app.localhost')])
const post = Buffer.concat([Buffer.from([0x83, 0x84, 0x86, 0x01, 13]), Buffer.from('app.localhost')])
/** 2,000 times `a: b`. */
const manyHeaders = Buffer.from(Array.from({ length: 2000 }, () => [0x00, 1, 0x61, 1, 0x62]).flat())
const word = (value: number) => Buffer.from([value >>> 24, value >>> 16, value >>> 8, value])
const id = (n: number) => 2 * n + 1

const closed: Readonly<Record<string, Mode>> = {
  'rapid reset': (n) => Buffer.concat([frame(type.headers, endStream | endHeaders, id(n), request), frame(type.reset, 0, id(n), word(8))]),
  settings: () => frame(type.settings, 0, 0, Buffer.alloc(0)),
  ping: () => frame(type.ping, 0, 0, Buffer.alloc(8)),
  continuation: (n) =>
    n === 0 ? frame(type.headers, endStream, 1, request) : frame(type.continuation, 0, 1, Buffer.from([0x00, 1, 0x61, 1, 0x62])),
  'empty data': (n) => (n === 0 ? frame(type.headers, endHeaders, 1, post) : frame(type.data, 0, 1, Buffer.alloc(0))),
  priority: () => frame(type.priority, 0, 1, Buffer.from([0, 0, 0, 0, 16])),
  'window of 0, then streams without end': (n) =>
    n === 0 ? frame(type.settings, 0, 0, Buffer.from([0, 4, 0, 0, 0, 0])) : frame(type.headers, endStream | endHeaders, id(n), request),
}

/** What costs little: a window update is never wrong, and of a header list that is too large only its stream ends. */
const borne: Readonly<Record<string, Mode>> = {
  'window update': (n) => (n < 200_000 ? frame(type.windowUpdate, 0, 0, word(1)) : Buffer.alloc(0)),
  'one header list after another that is too large': (n) =>
    n >= 4000
      ? Buffer.alloc(0)
      : Buffer.concat([frame(type.headers, endStream, id(n), request), frame(type.continuation, endHeaders, id(n), manyHeaders)]),
}

async function givenApp() {
  const app = http.createServer((incoming, response) => incoming.resume().on('end', () => response.end('x'.repeat(1000))))
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve))
  return {
    port: (app.address() as AddressInfo).port,
    [Symbol.dispose]: () => void (app.closeAllConnections(), app.close()),
  }
}

/** As many as it takes for answers to pile up before they can be sent: a server that answers each at once is not hurt. */
const batchFrames = 2000

/** Sends the frames of `mode` until the other side closes, or `most` are out. @returns whether it was closed */
async function attack(port: number, mode: Mode, most: number): Promise<boolean> {
  const socket = net.connect(port, '127.0.0.1')
  let goOn = () => {}
  socket.on('error', () => {}).on('drain', () => goOn())
  socket.on('close', () => goOn())
  socket.resume()
  await once(socket, 'connect')
  socket.write(Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(type.settings, 0, 0, Buffer.alloc(0))]))
  for (let n = 0; n < most && !socket.destroyed; n += batchFrames) {
    const batch = Buffer.concat(Array.from({ length: batchFrames }, (_, at) => mode(n + at)))
    if (socket.write(batch)) await new Promise((resolve) => setImmediate(resolve))
    else await new Promise<void>((resolve) => (goOn = resolve))
  }
  for (let waited = 0; waited < 100 && !socket.destroyed; waited += 1) await new Promise((resolve) => setTimeout(resolve, 20))
  const isClosed = socket.destroyed || socket.readableEnded
  socket.destroy()
  return isClosed
}

test.each<[string, Mode]>(Object.entries(closed))(
  'S29: a flood of %s closes that session, and another client is served',
  { timeout: 30_000 },
  async (_name, mode) => {
    using app = await givenApp()
    const upstream = oneInstance(app.port)
    await using given = await givenRouter(upstream)
    using client = givenH2Client(given.router.port)
    expect((await ask(client)).status).toBe(200)
    const attacked = attack(given.router.port, mode, 40_000)
    for (let n = 0; n < 20; n += 1) expect((await ask(client)).status).toBe(200)
    expect(await attacked).toBe(true)
    expect((await ask(client)).status).toBe(200)
    await vi.waitFor(() => expect(upstream.inFlight).toBe(0), { timeout: 6000 })
  },
)

test.each<[string, Mode]>(Object.entries(borne))(
  'S29: a flood of %s is borne, and another client is served meanwhile',
  { timeout: 30_000 },
  async (_name, mode) => {
    using app = await givenApp()
    await using given = await givenRouter(oneInstance(app.port))
    using client = givenH2Client(given.router.port)
    const attacked = attack(given.router.port, mode, 200_000)
    for (let n = 0; n < 20; n += 1) expect((await ask(client)).status).toBe(200)
    await attacked
    expect((await ask(client)).status).toBe(200)
  },
)

test('a client has at most 100 streams at a time', async () => {
  const app = http.createServer(() => {}) // answers nothing
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve))
  const upstream = oneInstance((app.address() as AddressInfo).port)
  await using given = await givenRouter(upstream)
  using client = givenH2Client(given.router.port)
  await once(client, 'remoteSettings')
  expect(client.remoteSettings.maxConcurrentStreams).toBe(100)
  for (let n = 0; n < 150; n += 1) client.request({ ':path': '/' }).on('error', () => {})
  await vi.waitFor(() => expect(upstream.inFlight).toBe(100))
  app.closeAllConnections()
  app.close()
})
