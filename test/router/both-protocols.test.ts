import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { CloudError } from '../../src/base/cloud-error.ts'
import type { Gate, Route, Upstream } from '../../src/router/upstream.ts'
import { givenBackend, givenRouter, oneInstance, talk } from './given-router.ts'
import { givenClock } from './given-clock.ts'
import { givenSocket } from './given-socket.ts'
import { ask, givenH2Client } from './h2/given-h2.ts'

interface Case {
  readonly says: string
  readonly host?: string
  readonly gate?: Gate
  readonly route?: Partial<Route> & { readonly timeoutMs?: number }
  readonly headers?: Readonly<Record<string, string>>
  /** In place of an instance. */
  readonly acquire?: Upstream['acquire']
  /** What the instance writes; undefined closes its connection instead. */
  readonly answer?: string | undefined
  readonly status: number
  readonly body: RegExp
  /** Header of the answer. */
  readonly header?: readonly [name: string, value: string]
  /** Of the request log; undefined when it is told nothing. */
  readonly logged: number | undefined
  /** How many requests an instance saw. */
  readonly seen: number
}

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const refused = () => Promise.reject(new CloudError('RESOURCE_EXHAUSTED', 'full', 'wait', { fault: 'NO_INSTANCE' }))
const long = `HTTP/1.1 200 OK\r\nX-Long: ${'a'.repeat(70_000)}\r\nContent-Length: 2\r\n\r\nok`
const almostLong = `HTTP/1.1 200 OK\r\nX-Long: ${'a'.repeat(40_000)}\r\nContent-Length: 2\r\n\r\nok`

const cases: readonly Case[] = [
  { says: 'a request is answered by the instance', answer: ok, status: 200, body: /^ok$/, logged: 200, seen: 1 },
  { says: 'an unknown name under localhost is 404', host: 'none.localhost', status: 404, body: /was not found/, logged: undefined, seen: 0 },
  { says: 'a foreign name is 421', host: 'example.com', status: 421, body: /No service answers/, logged: undefined, seen: 0 },
  { says: 'a name under run.app on plain http is redirected', host: 'app-x7k2-uc.a.run.app', status: 302, body: /^$/, header: ['location', 'https://app-x7k2-uc.a.run.app/'], logged: undefined, seen: 0 },
  { says: 'a gate that throws is 500', gate: () => { throw new Error('broken') }, status: 500, body: /could not start/, logged: 500, seen: 0 },
  { says: 'a gate that rejects is 500', gate: () => Promise.reject(new Error('broken')), status: 500, body: /could not start/, logged: 500, seen: 0 },
  { says: 'a gate that refuses answers its page', gate: () => ({ kind: 'refuse', status: 401, html: '<p>no', wwwAuthenticate: 'Bearer' }), status: 401, body: /^<p>no$/, header: ['www-authenticate', 'Bearer'], logged: 401, seen: 0 },
  { says: 'a gate that refuses later does as well', gate: async () => ({ kind: 'refuse', status: 403, html: '<p>no' }), status: 403, body: /^<p>no$/, logged: 403, seen: 0 },
  { says: 'a refusal that is not logged leaves no record', gate: () => ({ kind: 'refuse', status: 404, html: '<p>gone', isUnlogged: true }), status: 404, body: /gone/, logged: undefined, seen: 0 },
  { says: 'a gate that lets in later lets in', gate: async () => ({ kind: 'pass' }), answer: ok, status: 200, body: /^ok$/, logged: 200, seen: 1 },
  { says: 'a declared body above the limit is 413', route: { maxBodyBytes: 1000 }, headers: { 'content-length': '1001' }, status: 413, body: /32 MiB/, logged: 413, seen: 0 },
  { says: 'no instance at the maximum is 429', acquire: refused, status: 429, body: /Rate exceeded/, logged: 429, seen: 0 },
  { says: 'an instance that cannot start is 500', acquire: () => Promise.reject(new Error('no')), status: 500, body: /could not start/, logged: 500, seen: 0 },
  { says: 'an instance that closes without an answer is 503', status: 503, body: /malformed/, logged: 503, seen: 1 },
  { says: 'an answer that is no HTTP is 503', answer: 'hello\r\n\r\n', status: 503, body: /malformed/, logged: 503, seen: 1 },
  { says: "an answer's head of 40 KB passes", answer: almostLong, status: 200, body: /^ok$/, logged: 200, seen: 1 },
  { says: "an answer's head above 64 KiB is 503", answer: long, status: 503, body: /malformed/, logged: 503, seen: 1 },
  { says: '16 interim answers are passed over', answer: 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(16) + ok, status: 200, body: /^ok$/, logged: 200, seen: 1 },
  { says: '17 interim answers are 503', answer: 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(17) + ok, status: 503, body: /malformed/, logged: 503, seen: 1 },
  { says: 'another protocol that nobody asked for is 503', answer: 'HTTP/1.1 101 Switching Protocols\r\n\r\n', status: 503, body: /malformed/, logged: 503, seen: 1 },
  { says: 'an answer that declares more than the limit is 500', route: { maxBodyBytes: 1000 }, answer: 'HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n', status: 500, body: /larger than 32 MiB/, logged: 500, seen: 1 },
  { says: 'an answer that takes too long is 504', route: { timeoutMs: 100 }, answer: '', status: 504, body: /timeout/, logged: 504, seen: 1 },
  { says: 'an instance that is waited for too long is 504', route: { timeoutMs: 100 }, acquire: () => new Promise(() => {}), status: 504, body: /timeout/, logged: 504, seen: 0 },
  { says: 'a gate that never makes up its mind is 504', route: { timeoutMs: 100 }, gate: () => new Promise(() => {}), status: 504, body: /timeout/, logged: 504, seen: 0 },
] // prettier-ignore

describe.each(['HTTP/1.1', 'HTTP/2'] as const)('a client of %s', (protocol) => {
  test.each(cases)('$says', async (given) => {
    await using app = await givenBackend((text, socket) => {
      if (!text.endsWith('\r\n\r\n')) return
      if (given.answer === undefined) socket.destroy()
      else socket.write(given.answer)
    })
    const upstream: Upstream = given.acquire === undefined ? oneInstance(app.port) : { id: 'app-00001-abc', acquire: given.acquire }
    await using router = await givenRouter(upstream, {
      route: { ...given.route, hosts: ['app.localhost', 'app-x7k2-uc.a.run.app'], ...(given.gate && { gate: given.gate }) },
    })
    const answer = await askOver(protocol, router.router.port, given.host ?? 'app.localhost', given.headers ?? {})
    expect({ status: answer.status, seen: app.seen.length }).toEqual({ status: given.status, seen: given.seen })
    expect(answer.body).toMatch(given.body)
    if (given.header !== undefined) expect(answer.headers[given.header[0]]).toBe(given.header[1])
    expect(router.records.map(({ status }) => status)).toEqual(given.logged === undefined ? [] : [given.logged])
    expect(router.records.map(({ instance }) => instance)).toEqual(given.logged === undefined ? [] : [given.seen > 0 ? 'i1' : ''])
  })

  test('that leaves while it waits for an instance is on record with 499, and nothing waits for it any more', async () => {
    const signals: AbortSignal[] = []
    const upstream: Upstream = {
      id: 'app-00001-abc',
      acquire(signal) {
        signals.push(signal)
        return new Promise(() => {})
      },
    }
    await using router = await givenRouter(upstream)
    const leave = await askAndLeave(protocol, router.router.port, () => signals.length === 1)
    leave()
    for (let tries = 0; tries < 200 && router.records.length === 0; tries += 1) await sleep(10)
    expect(router.records.map(({ status, instance }) => [status, instance])).toEqual([[499, '']])
    expect(signals[0]?.aborted).toBe(true)
  })

  test('whose own head is above 64 KiB reaches no instance', async () => {
    await using app = await givenBackend((_text, socket) => void socket.write(ok))
    await using router = await givenRouter(oneInstance(app.port))
    const answer = await askOver(protocol, router.router.port, 'app.localhost', { 'x-long': 'a'.repeat(70_000) })
    expect(answer.status).toBe(protocol === 'HTTP/1.1' ? 431 : Number.NaN) // a header list too large ends the stream of HTTP/2
    expect(app.seen).toEqual([])
  })

  test('has the time of its request counted from the head on, gate and instance included', async () => {
    await using app = await givenBackend(() => {})
    const clock = givenClock()
    await using router = await givenRouter(oneInstance(app.port), { clock, route: { timeoutMs: 60_000 } })
    const asked = askOver(protocol, router.router.port, 'app.localhost', {})
    for (let tries = 0; tries < 200 && app.seen.length === 0; tries += 1) await sleep(10)
    clock.forward(59_000)
    await sleep(300)
    expect(router.records).toEqual([])
    clock.forward(2000)
    expect((await asked).status).toBe(504)
  })
})

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
}

async function askOver(protocol: string, port: number, host: string, headers: Readonly<Record<string, string>>): Promise<Answer> {
  if (protocol === 'HTTP/2') {
    using client = givenH2Client(port, { host })
    const length = headers['content-length']
    return await ask(client, { ...headers, ':authority': host }, length === undefined ? undefined : 'x'.repeat(Number(length)))
  }
  const lines = Object.entries({ host, connection: 'close', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`)
  const text = await talk(port, `GET / HTTP/1.1\r\n${lines.join('')}\r\n`)
  const [head = '', ...body] = text.split('\r\n\r\n')
  const fields = head.split('\r\n').slice(1).map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]) // prettier-ignore
  return { status: Number(head.slice(9, 12)), headers: Object.fromEntries(fields), body: body.join('\r\n\r\n') }
}

/** Asks, and gives what makes the client leave once `hasArrived`. */
async function askAndLeave(protocol: string, port: number, hasArrived: () => boolean): Promise<() => void> {
  const until = async () => {
    for (let tries = 0; tries < 200 && !hasArrived(); tries += 1) await sleep(10)
  }
  if (protocol === 'HTTP/2') {
    const client = givenH2Client(port)
    client.request({ ':path': '/' }).on('error', () => {})
    await until()
    return () => client.destroy()
  }
  const client = await givenSocket(port)
  client.socket.write('GET / HTTP/1.1\r\nHost: app.localhost\r\n\r\n')
  await until()
  return () => client.socket.resetAndDestroy()
}
