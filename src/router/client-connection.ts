import type { Socket } from 'node:net'
import { CloudError } from '../base/cloud-error.ts'
import { requestFraming } from './framing.ts'
import { Exchange, type ExchangeHost } from './exchange.ts'
import { HeadError, headLimitBytes, readRequestHead, type RequestHead } from './http-head.ts'
import type { Front } from './origin.ts'
import type { PublicOrigin } from './public-origins.ts'
import { notFoundPage, ownAnswer, toAnswer, words } from './pages.ts'
import type { Routes } from './routes.ts'
import { freshTrace } from './trace.ts'
import type { ConnectionPool } from './upstream-connection.ts'
import type { Lease, RequestRecord, Route, Upstream } from './upstream.ts'

/** What all connections of a router share. */
export interface RouterCore {
  readonly routes: Routes
  readonly connections: ConnectionPool
  readonly publicOrigins: readonly PublicOrigin[]
  readonly nowMs: () => number
  readonly ticksMs: () => number
  readonly lot: () => number
  readonly onRequest: (record: RequestRecord) => void
}

interface Current {
  readonly head: RequestHead
  readonly route: Route
  readonly upstream: Upstream
  readonly startMs: number
  readonly startTicks: number
  readonly waiting: AbortController | undefined
  exchange: Exchange | undefined
  instance: string
}

/** A client's connection: one request after another, read strictly, each handed to an instance. */
export class ClientConnection implements ExchangeHost {
  readonly client: Socket
  readonly publicOrigins: readonly PublicOrigin[]
  readonly connections: ConnectionPool
  /** Ticks at which this connection must be done with what it does now; checked by the router's one timer. */
  deadlineTicks: number
  readonly #core: RouterCore
  readonly #scheme: 'http' | 'https'
  readonly #remoteIp: string
  #rest: Buffer | undefined
  #current: Current | undefined

  constructor(core: RouterCore, client: Socket, scheme: 'http' | 'https') {
    this.#core = core
    this.client = client
    this.connections = core.connections
    this.publicOrigins = core.publicOrigins
    this.#scheme = scheme
    this.#remoteIp = (client.remoteAddress ?? '127.0.0.1').replace(/^::ffff:/, '')
    this.deadlineTicks = core.ticksMs() + headMs
    client.on('data', (data: Buffer) => this.onData(data))
    client.on('drain', () => this.#current?.exchange?.onClientDrain())
    client.on('end', () => this.#onEnd())
    client.on('error', () => client.destroy())
    client.on('close', () => this.#onClose())
  }

  onData(data: Buffer): void {
    try {
      const current = this.#current
      if (current !== undefined) {
        const taken = current.exchange?.onClientData(data, 0) ?? 0
        if (taken < data.length) this.#hold(taken === 0 ? data : data.subarray(taken))
        return
      }
      const all = this.#rest === undefined ? data : Buffer.concat([this.#rest, data])
      this.#rest = undefined
      this.#readHead(all)
    } catch (error) {
      this.#refuse(error)
    }
  }

  /** The router's timer found the deadline over. */
  onDeadline(): void {
    const current = this.#current
    if (current === undefined) {
      if (this.#rest === undefined) this.client.destroy()
      else this.#answer(408, 'The request head did not come in time.', true)
      return
    }
    current.waiting?.abort(new CloudError('DEADLINE_EXCEEDED', words[504], 'Raise timeoutSeconds.'))
    const begun = (current.exchange?.status ?? 0) !== 0
    current.exchange?.abandon()
    if (begun) {
      this.client.destroy() // half a response cannot be taken back
      this.#record(current, 504)
    } else if (current.exchange !== undefined) this.#answerCurrent(504, words[504])
  }

  onDone(exchange: Exchange, keep: boolean): void {
    const current = this.#current
    if (current === undefined) return
    this.#record(current, exchange.status)
    this.#current = undefined
    if (!keep) {
      this.client.end()
      return
    }
    this.#next()
  }

  onTunnel(exchange: Exchange): void {
    const rest = this.#rest
    this.#rest = undefined
    if (rest !== undefined) exchange.onClientData(rest, 0)
    this.client.resume()
  }

  onFailed(_exchange: Exchange, status: number, body: string): void {
    this.#answerCurrent(status, body)
  }

  #readHead(all: Buffer): void {
    let start = 0
    while (all[start] === 0x0d && all[start + 1] === 0x0a) start += 2 // RFC 9112, 2.2: empty lines before a request
    const end = all.indexOf('\r\n\r\n', start)
    if (end === -1) {
      if (all.length > headLimitBytes) throw new HeadError(431, 'The request head is larger than 64 KiB.')
      this.#rest = all
      if (start === 0 && all.length === 0) this.#rest = undefined
      return
    }
    if (end > headLimitBytes) throw new HeadError(431, 'The request head is larger than 64 KiB.')
    const head = readRequestHead(all.toString('latin1', start, end))
    this.#begin(head, all, end + 4)
  }

  #begin(head: RequestHead, all: Buffer, bodyStart: number): void {
    const framing = requestFraming(head)
    const { host, port } = readHost(head)
    const found = this.#core.routes.find(host, this.#core.lot)
    if (head.method === 'TRACE' || head.method === 'CONNECT') throw new HeadError(405, `${head.method} is not passed on.`)
    if (found === undefined) {
      const localName = /(^|\.)localhost$|^127\.|^\[?::1|\.run\.app$/.test(host)
      return this.#answer(
        localName ? 404 : 421,
        localName ? notFoundPage(head.target, this.#core.routes.names) : `No service answers for "${host}" here.`,
        true,
        localName,
        head.method === 'HEAD',
      )
    }
    if (head.target === '/healthz' || head.target.startsWith('/healthz?'))
      return this.#answer(404, notFoundPage(head.target, []), true, true, head.method === 'HEAD')
    const front: Front = { scheme: this.#scheme, host, port }
    const lease = found.upstream.tryAcquire?.()
    const waiting = lease === undefined ? new AbortController() : undefined
    const current: Current = {
      head,
      ...found,
      startMs: this.#core.nowMs(),
      startTicks: this.#core.ticksMs(),
      waiting,
      exchange: undefined,
      instance: '',
    }
    this.#current = current
    this.deadlineTicks = current.startTicks + found.route.timeoutMs
    const begin = (granted: Lease) => {
      current.instance = granted.instance
      current.exchange = new Exchange(this, head, framing, front, this.#remoteIp, freshTrace(), granted)
      this.#feed(current.exchange, all, bodyStart)
    }
    if (lease !== undefined) return begin(lease)
    this.client.pause()
    found.upstream.acquire((waiting as AbortController).signal).then(
      (granted) => {
        if (this.#current !== current || this.client.destroyed) return granted.release()
        this.client.resume()
        begin(granted)
      },
      (error: unknown) => {
        if (this.#current === current) this.#answerCurrent(...toAnswer(error))
      },
    )
  }

  #feed(exchange: Exchange, all: Buffer, bodyStart: number): void {
    try {
      const end = bodyStart < all.length ? exchange.onClientData(all, bodyStart) : bodyStart
      if (end < all.length) this.#hold(all.subarray(end))
    } catch (error) {
      this.#refuse(error)
    }
  }

  /** The start of a next request, kept until this one is answered. */
  #hold(data: Buffer): void {
    this.#rest = this.#rest === undefined ? data : Buffer.concat([this.#rest, data])
    if (this.#rest.length > headLimitBytes) this.client.pause()
  }

  #next(): void {
    this.client.resume()
    const rest = this.#rest
    this.deadlineTicks = this.#core.ticksMs() + (rest === undefined ? idleMs : headMs)
    if (rest === undefined) return
    this.#rest = undefined
    setImmediate(() => {
      if (!this.client.destroyed) this.onData(rest)
    })
  }

  #answerCurrent(status: number, body: string): void {
    const current = this.#current
    this.#current = undefined
    if (current === undefined) return
    this.client.end(ownAnswer(status, body, { close: true, head: current.head.method === 'HEAD' }))
    this.#record(current, status)
  }

  #answer(status: number, body: string, close: boolean, html = false, head = false): void {
    this.client.end(ownAnswer(status, body, { close, html, head }))
  }

  #refuse(error: unknown): void {
    const status = error instanceof HeadError ? error.status : 400
    this.#current?.exchange?.abandon()
    this.#current = undefined
    this.#answer(status, error instanceof HeadError ? error.message : 'The request is malformed.', true)
  }

  #onEnd(): void {
    const exchange = this.#current?.exchange
    if (this.#current === undefined) this.client.end()
    else if (exchange?.tunnelled === true) exchange.onClientEnd()
    // A client that closes its half before the answer begins still wants it (a script with nc); one that does so later has left (F34, F37).
    else if (exchange !== undefined && exchange.status !== 0) this.client.destroy()
  }

  #onClose(): void {
    const current = this.#current
    this.#current = undefined
    current?.waiting?.abort(new Error('The client went away.'))
    if (current?.exchange === undefined) return
    current.exchange.abandon()
    this.#record(current, current.exchange.status || 499)
  }

  #record(current: Current, status: number): void {
    const { head, route, upstream, exchange } = current
    this.#core.onRequest({
      timeMs: current.startMs,
      project: route.project,
      service: route.service,
      revision: upstream.id,
      instance: current.instance,
      method: head.method,
      target: head.target,
      status,
      latencyMs: this.#core.ticksMs() - current.startTicks,
      requestBytes: exchange?.requestBytes ?? 0,
      responseBytes: exchange?.responseBytes ?? 0,
      userAgent: head.fields.find((field) => field.lower === 'user-agent')?.value ?? '',
      remoteIp: this.#remoteIp,
      traceId: exchange?.trace.traceId ?? '',
    })
  }
}

/** How long a head may take, and how long a connection may wait for its next request. */
const headMs = 15_000
const idleMs = 620_000

/** The one Host, without and with its port. @throws HeadError 400 for none or several, 421 for an absolute target of another host */
function readHost(head: RequestHead): { readonly host: string; readonly port: string } {
  const hosts = head.fields.filter((field) => field.lower === 'host')
  const [first] = hosts
  if (hosts.length > 1 || (first === undefined && head.minor === 1)) throw new HeadError(400, 'A request needs exactly one Host.')
  const [, host, port] = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?$/.exec((first?.value ?? '').toLowerCase()) ?? []
  if (host === undefined) throw new HeadError(400, 'The Host header is malformed.')
  if (!head.target.startsWith('/') && !(head.target === '*' && head.method === 'OPTIONS'))
    throw new HeadError(421, 'This is no proxy: send a path, not a whole URL.')
  return { host: host.replace(/\.$/, ''), port: port ?? '' }
}
