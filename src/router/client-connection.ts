import type { Socket } from 'node:net'
import { CloudError } from '../base/cloud-error.ts'
import { maxBodyBytes } from './body-limit.ts'
import { chooseRoute } from './choose-route.ts'
import type { ClientExchange, ExchangeHost, ExchangePlan } from './client-exchange.ts'
import { readClientRequest, type ClientRequest } from './client-request.ts'
import { CurrentRequest, toPlan, toRecord } from './current-request.ts'
import { Exchange } from './exchange.ts'
import { valueOf } from './forward-head.ts'
import { h2RequestForApplication } from './h2/h2-fields.ts'
import { H2cExchange } from './h2/h2c-exchange.ts'
import { HeadError, headLimitBytes } from './http-head.ts'
import type { LeftBehind } from './left-behind.ts'
import { ownAnswer, toAnswer, tooLargePage, words } from './pages.ts'
import type { PublicOrigin } from './public-origins.ts'
import type { Peer } from './peer.ts'
import type { RouterCore } from './router-core.ts'
import { kept } from './shared-reads.ts'
import { startsWith } from './starts-with.ts'
import type { Listed } from './swap-list.ts'
import { freshTrace } from './trace.ts'
import type { ConnectionPool } from './upstream-connection.ts'
import type { Admission, Gate, Lease } from './upstream.ts'

/** A client's connection: one request after another, read strictly, each handed to an instance. */
export class ClientConnection implements ExchangeHost, Listed {
  place = -1
  readonly client: Socket
  readonly publicOrigins: readonly PublicOrigin[]
  readonly connections: ConnectionPool
  /** Ticks at which this connection must be done with what it does now; checked by the router's one timer. */
  deadlineTicks: number
  readonly #core: RouterCore
  readonly #peer: Peer
  #rest: Buffer | undefined
  #current: CurrentRequest | undefined
  #last: ClientRequest | undefined
  /** The last answer is written: nothing that still comes is a request. */
  #closing = false
  #closingSince: number | undefined
  /** Ticks at which the request's own time is over. */
  #requestDeadline = Infinity

  constructor(core: RouterCore, client: Socket, peer: Peer) {
    this.#core = core
    this.client = client
    this.connections = core.connections
    this.publicOrigins = core.publicOrigins
    this.#peer = peer
    this.deadlineTicks = core.ticksMs() + headMs
    client.on('data', (data: Buffer) => this.onData(data))
    client.on('drain', () => this.#current?.exchange?.onClientDrain())
    client.on('end', () => this.#onEnd())
    client.on('error', () => client.destroy())
    client.on('close', () => this.#onClose())
  }

  onData(data: Buffer): void {
    if (this.#closing) return
    try {
      const current = this.#current
      if (current !== undefined) {
        const { exchange } = current
        const taken = exchange?.onClientData(data, 0) ?? 0
        if (exchange?.requestDone === false) this.#bodyMoved()
        if (taken < data.length) this.#hold(taken === 0 ? data : data.subarray(taken))
        return
      }
      const all = this.#rest === undefined ? data : Buffer.concat([this.#rest, data])
      // A head may come in pieces for 15 s, counted from its first one.
      if (this.#rest === undefined) this.deadlineTicks = this.#core.ticksMs() + headMs
      this.#rest = undefined
      this.#readHead(all)
    } catch (error) {
      this.#refuse(error)
    }
  }

  /** The router's timer found the deadline over. */
  onDeadline(): void {
    const current = this.#current
    if (this.#closing) return this.#onLingered()
    if (current === undefined) {
      if (this.#rest === undefined) this.client.destroy()
      else this.#end(ownAnswer(408, 'The request head did not come in time.', { close: true }))
      return
    }
    if (this.deadlineTicks < this.#requestDeadline) return this.#bodyStalled(current)
    current.waiting?.abort(new CloudError('DEADLINE_EXCEEDED', words[504], 'Raise timeoutSeconds.'))
    const { exchange } = current
    if (exchange === undefined) {
      if (current.waiting === undefined) this.#answerCurrent(504, words[504]) // the gate has not made up its mind
      return
    }
    const begun = exchange.status !== 0
    this.#leave(exchange, this.#core.ticksMs() + current.choice.timeoutMs)
    if (!begun) return this.#answerCurrent(504, words[504])
    this.#current = undefined
    this.#record(current, 504)
    this.client.destroy() // half a response cannot be taken back
  }

  onDone(exchange: ClientExchange, keep: boolean): void {
    const current = this.#current
    if (current === undefined) return
    this.#record(current, exchange.status)
    this.#current = undefined
    if (keep) this.#next()
    else this.#end()
  }

  onTunnel(exchange: ClientExchange): void {
    const rest = this.#rest
    this.#rest = undefined
    if (rest !== undefined) exchange.onClientData(rest, 0)
    this.client.resume()
  }

  onFailed(_exchange: ClientExchange, status: number, body: string, html = false): void {
    this.#answerCurrent(status, body, html)
  }

  onLeftOver(left: LeftBehind): void {
    this.#core.leftBehind.delete(left)
  }

  #readHead(all: Buffer): void {
    let start = 0
    while (start < 64 && all[start] === 0x0d && all[start + 1] === 0x0a) start += 2 // RFC 9112, 2.2: empty lines before a request
    const last = this.#last
    if (last !== undefined && startsWith(all, last.bytes, start)) return this.#begin(last, all, start + last.bytes.length)
    const end = all.indexOf('\r\n\r\n', start)
    if (end === -1 ? all.length > headLimitBytes : end > headLimitBytes) throw new HeadError(431, 'The request head is larger than 64 KiB.')
    if (end === -1) {
      if (all.length > start) this.#rest = kept(all)
      return
    }
    const facts = { scheme: this.#peer.scheme, remoteIp: this.#peer.ip, replacesOrigins: this.publicOrigins.length > 0 }
    const request = readClientRequest(Buffer.from(all.subarray(start, end + 4)), facts)
    this.#last = end - start < 4096 ? request : undefined
    this.#begin(request, all, end + 4)
  }

  #begin(request: ClientRequest, all: Buffer, bodyStart: number): void {
    const { head, front, framing } = request
    const isHead = head.method === 'HEAD'
    if (this.#peer.scheme === 'http' && front.host.endsWith('.run.app')) {
      const location = `https://${front.host}${front.port}${head.target}` // the port takes TLS as well (run trap 21)
      return this.#end(ownAnswer(302, '', { close: true, html: true, location, head: isHead }))
    }
    const choice = chooseRoute(this.#core.routes, this.#core.lot, front.host, head)
    if (choice.kind === 'answer') return this.#end(ownAnswer(choice.status, choice.body, { close: true, html: choice.html, head: isHead }))
    const { route, timeoutMs } = choice
    const fresh = freshTrace()
    const trace = request.traceId === undefined ? fresh : { traceId: request.traceId, spanId: fresh.spanId }
    const current = new CurrentRequest(request, choice, trace, this.#core.nowMs(), this.#core.ticksMs())
    this.#current = current
    this.#requestDeadline = this.deadlineTicks = current.startTicks + timeoutMs
    if (framing.kind === 'length' && framing.bytes > maxBodyBytes(route, current.asHttp2))
      return this.#answerCurrent(413, tooLargePage(), true)
    if (route.gate === undefined) return this.#acquire(current, undefined, all, bodyStart)
    this.#ask(current, route.gate, all, bodyStart)
  }

  /** Asks who may call; without waiting where the gate answers at once. */
  #ask(current: CurrentRequest, gate: Gate, all: Buffer, bodyStart: number): void {
    const { fields, target } = current.request.head
    const go = (admission: Admission, data: Buffer) => {
      if (admission.kind === 'pass') this.#acquire(current, admission.replace, data, bodyStart)
      else this.#answerCurrent(admission.status, admission.html, true, admission)
    }
    const fail = () => {
      if (this.#current === current) this.#answerCurrent(500, words[500])
    }
    let admission: Admission | Promise<Admission>
    try {
      admission = gate({
        authorization: valueOf(fields, 'authorization'),
        serverlessAuthorization: valueOf(fields, 'x-serverless-authorization'),
        target,
        origin: this.#peer.origin,
      })
    } catch {
      return fail()
    }
    if (!(admission instanceof Promise)) return go(admission, all)
    const held = kept(all)
    admission.then((answer) => {
      if (this.#current !== current || this.client.destroyed) return
      this.client.resume()
      go(answer, held)
    }, fail)
  }

  #acquire(current: CurrentRequest, replace: Readonly<Record<string, string>> | undefined, all: Buffer, bodyStart: number): void {
    const { upstream, preferred } = current.choice
    const lease = upstream.tryAcquire?.(preferred)
    if (lease !== undefined) return this.#send(current, lease, replace, all, bodyStart)
    current.waiting = new AbortController()
    const held = kept(all)
    upstream.acquire(current.waiting.signal, preferred).then(
      (granted) => {
        if (this.#current !== current || this.client.destroyed) return granted.release()
        this.client.resume()
        this.#send(current, granted, replace, held, bodyStart)
      },
      (error: unknown) => {
        if (this.#current === current) this.#answerCurrent(...toAnswer(error))
      },
    )
  }

  #send(
    current: CurrentRequest,
    lease: Lease,
    replace: Readonly<Record<string, string>> | undefined,
    all: Buffer,
    bodyStart: number,
  ): void {
    current.waiting = undefined
    current.instance = lease.instance
    const plan = toPlan(current, lease, this.#peer.ip, replace)
    try {
      const exchange = current.asHttp2 ? this.#openH2c(plan, replace) : new Exchange(this, plan)
      current.exchange = exchange
      const held = this.#rest // what came while an instance was waited for
      this.#rest = undefined
      const data = held === undefined ? all : Buffer.concat([all, held])
      const end = bodyStart < data.length ? exchange.onClientData(data, bodyStart) : bodyStart
      if (!exchange.requestDone) this.#bodyMoved()
      if (end < data.length) this.#hold(data.subarray(end))
    } catch (error) {
      this.#refuse(error)
    }
  }

  #openH2c(plan: ExchangePlan, replace: Readonly<Record<string, string>> = {}): H2cExchange {
    const { head, front, plain } = plan.request
    const fields = head.fields.map((field) => ({ ...field, value: replace[field.lower] ?? field.value }))
    const headers = h2RequestForApplication({ ...head, fields }, front, this.#peer.ip, plan.trace, plain)
    try {
      return new H2cExchange(this, this.#core.sessions, plan, headers)
    } catch {
      plan.lease.release()
      throw new HeadError(400, 'The request cannot be said in HTTP/2.')
    }
  }

  /** The start of a next request, kept until this one is answered; before an instance is there, the body of this one. */
  #hold(data: Buffer): void {
    this.#rest = this.#rest === undefined ? kept(data) : Buffer.concat([this.#rest, data])
    if (this.#rest.length > headLimitBytes) this.client.pause()
  }

  #next(): void {
    const rest = this.#rest
    if (rest === undefined && this.client.readableEnded) return this.#end() // it closed its half behind the request
    this.client.resume()
    this.deadlineTicks = this.#core.ticksMs() + (rest === undefined ? idleMs : headMs)
    if (rest === undefined) return
    this.#rest = undefined
    setImmediate(() => {
      if (!this.client.destroyed) this.onData(rest)
    })
  }

  /** Bytes of a body came: the next ones are waited for anew, but not beyond the request's own time. */
  #bodyMoved(): void {
    this.deadlineTicks = Math.min(this.#requestDeadline, this.#core.ticksMs() + bodyIdleMs)
  }

  #bodyStalled(current: CurrentRequest): void {
    const { exchange } = current
    if (exchange === undefined || exchange.requestDone || this.client.isPaused()) {
      this.deadlineTicks = this.#requestDeadline // it is not the client that keeps us waiting
      if (exchange?.requestDone === false) this.#bodyMoved()
      return
    }
    exchange.abandon()
    if (exchange.status === 0) return this.#answerCurrent(408, 'The request body did not come in time.')
    this.client.destroy()
  }

  /** The exchange goes on without its client, or is cut. */
  #leave(exchange: ClientExchange, untilTicks: number): void {
    const left = exchange.leave()
    if (left !== undefined) this.#core.leftBehind.set(left, untilTicks)
  }

  #answerCurrent(status: number, body: string, html = false, refusal: Partial<Extract<Admission, { kind: 'refuse' }>> = {}): void {
    const current = this.#current
    this.#current = undefined
    if (current === undefined) return
    this.#end(
      ownAnswer(status, body, {
        close: true,
        html,
        wwwAuthenticate: refusal.wwwAuthenticate,
        head: current.request.head.method === 'HEAD',
      }),
    )
    if (refusal.isUnlogged !== true) this.#record(current, status)
  }

  /** Nothing more is said, and what the client still sends is thrown away for a moment: closed at once, it might not read the last answer. */
  #end(answer?: string): void {
    this.#closing = true
    this.#rest = undefined
    this.#last = undefined
    this.deadlineTicks = this.#core.ticksMs() + lingerMs
    if (answer === undefined) this.client.end()
    else this.client.end(answer)
    this.client.resume()
  }

  /** The last answer stays until the client has read it, slow as it may be. */
  #onLingered(): void {
    const now = this.#core.ticksMs()
    this.#closingSince ??= now
    if (this.client.writableFinished || now - this.#closingSince > idleMs) this.client.destroy()
    else this.deadlineTicks = now + lingerMs
  }

  #refuse(error: unknown): void {
    const current = this.#current
    const status = error instanceof HeadError ? error.status : 400
    current?.exchange?.abandon()
    if (current?.exchange !== undefined && current.exchange.status !== 0) {
      this.client.destroy() // half a response cannot be taken back
      return
    }
    const body = status === 413 ? tooLargePage() : error instanceof HeadError ? error.message : 'The request is malformed.'
    if (current !== undefined) this.#answerCurrent(status, body, status === 413)
    else this.#end(ownAnswer(status, body, { close: true, html: status === 413 }))
  }

  #onEnd(): void {
    const exchange = this.#current?.exchange
    if (this.#current === undefined) this.client.end()
    else if (exchange?.tunnelled === true) exchange.onClientEnd()
    // A client that closes its half before the answer begins still wants it (a script with nc); one that does so later has left (F34, F37),
    // and one that does so within its request's body has given up.
    else if (exchange !== undefined && (exchange.status !== 0 || !exchange.requestDone)) this.client.destroy()
  }

  #onClose(): void {
    const current = this.#current
    this.#current = undefined
    this.#last = undefined
    if (current === undefined) return
    current.waiting?.abort(new Error('The client went away.'))
    const { exchange } = current
    if (exchange === undefined) return
    this.#record(current, exchange.status || 499)
    this.#leave(exchange, this.#requestDeadline)
  }

  #record(current: CurrentRequest, status: number): void {
    this.#core.onRequest(toRecord(current, status, this.#peer.ip, this.#core.ticksMs()))
  }
}

/** How long a head may take, a connection may wait for its next request, a body may stand still, and a client may take to see its last answer. */
const headMs = 15_000
const idleMs = 620_000
const bodyIdleMs = 120_000
const lingerMs = 2000
