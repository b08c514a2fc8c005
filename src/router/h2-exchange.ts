import { constants, type ServerHttp2Stream } from 'node:http2'
import { CloudError } from '../base/cloud-error.ts'
import { maxBodyBytes } from './body-limit.ts'
import { chooseRoute } from './choose-route.ts'
import { continuedTrace, requestForApplication, valueOf, type Trace } from './forward-head.ts'
import type { Framing } from './framing.ts'
import { isGrpc } from './grpc-status.ts'
import { grpcEnd, h2Answer, toHeaders, type OwnAnswer } from './h2-answer.ts'
import { H1InstanceRequest } from './h1-instance-request.ts'
import { h2RequestForApplication, h2ResponseForClient, h2Trailers, readH2Request, type H2Request } from './h2-fields.ts'
import { breakStream, cancelStream } from './h2-reset.ts'
import { H2InstanceRequest } from './h2-instance-request.ts'
import { HeadError, type Field, type ResponseHead } from './http-head.ts'
import type { InstanceReply, InstanceRequest } from './instance-request.ts'
import type { Front } from './origin.ts'
import { serverErrorPage, toAnswer, tooLargePage, words } from './pages.ts'
import { isBrowserText } from './public-origins.ts'
import { replacedReply } from './replaced-reply.ts'
import type { RouterCore } from './router-core.ts'
import { boundUpstream, readSession, sessionCookie, type Session } from './session-affinity.ts'
import { freshTrace } from './trace.ts'
import type { Admission, Gate, Lease, Route, Upstream } from './upstream.ts'

const { NGHTTP2_NO_ERROR, NGHTTP2_FLAG_END_STREAM } = constants

/** What the streams of one client share. */
export interface H2Client {
  readonly core: RouterCore
  readonly scheme: 'http' | 'https'
  readonly remoteIp: string
  readonly origin: 'front' | 'instance'
  /** The stream has nothing more to say. */
  onOver(exchange: H2Exchange): void
}

/** One request of an HTTP/2 client: to an instance, of either protocol, and back. */
export class H2Exchange implements InstanceReply {
  /** Ticks at which this must be done; checked by the router's one timer. */
  deadlineTicks: number
  readonly #client: H2Client
  readonly #stream: ServerHttp2Stream
  readonly #isWhole: boolean
  readonly #startMs: number
  readonly #startTicks: number
  #request: H2Request | undefined
  #fields: readonly Field[] = []
  #route: Route | undefined
  #upstream: Upstream | undefined
  #lease: Lease | undefined
  #waiting: AbortController | undefined
  #instance: InstanceRequest | undefined
  #trace: Trace = freshTrace()
  #isGrpc = false
  #asHttp2 = false
  #maxBodyBytes = Infinity
  #sessionAffinity = false
  #session: Session | undefined
  #cookie: Field | undefined
  #status = 0
  #requestBytes = 0
  #responseBytes = 0
  #trailers: readonly string[] = []
  #over = false

  constructor(client: H2Client, stream: ServerHttp2Stream, flags: number, raw: readonly string[]) {
    this.#client = client
    this.#stream = stream
    this.#isWhole = (flags & NGHTTP2_FLAG_END_STREAM) !== 0
    this.#startMs = client.core.nowMs()
    this.#startTicks = client.core.ticksMs()
    this.deadlineTicks = this.#startTicks + 15_000
    stream.on('error', () => {}) // 'close' follows
    stream.on('close', () => this.#onClose())
    try {
      this.#begin(readH2Request(raw))
    } catch (error) {
      if (error instanceof HeadError) this.#answer({ status: error.status, body: error.message })
      else this.#break(503, words[503])
    }
  }

  /** The router's timer found the deadline over. */
  onDeadline(): void {
    const stream = this.#stream
    if (this.#over) return stream.writableFinished ? stream.close(NGHTTP2_NO_ERROR) : cancelStream(stream)
    this.deadlineTicks = this.#client.core.ticksMs() + lingerMs
    this.#waiting?.abort(new CloudError('DEADLINE_EXCEEDED', words[504], 'Raise timeoutSeconds.'))
    this.#instance?.abandon()
    this.#break(504, words[504])
  }

  onContinue(): void {
    if (!this.#over && !this.#stream.headersSent && !this.#stream.destroyed) this.#stream.additionalHeaders({ ':status': 100 })
  }

  onHead(head: ResponseHead, isWhole: boolean): void {
    if (Number(valueOf(head.fields, 'content-length')) > this.#maxBodyBytes && !isWhole) return this.#tooLarge(500)
    const stream = this.#stream
    const { fields } = head
    const whole = this.#cookie === undefined ? head : { ...head, fields: [...fields, this.#cookie] }
    const waitForTrailers = !isWhole && this.#instance instanceof H2InstanceRequest
    this.#status = head.status
    try {
      stream.respond(h2ResponseForClient(whole, this.#front(), this.#trace), { endStream: isWhole, waitForTrailers })
    } catch {
      this.#instance?.abandon()
      return this.#break(503, words[503])
    }
    if (isWhole) return this.#finish()
    if (waitForTrailers) stream.on('wantTrailers', () => this.#sendTrailers())
    stream.on('drain', () => this.#instance?.resume())
  }

  onPiece(piece: Buffer): void {
    if (this.#over || this.#stream.destroyed) return
    this.#responseBytes += piece.length
    if (!this.#stream.write(piece)) this.#instance?.pause()
  }

  onEnd(trailers: readonly Field[]): void {
    this.#trailers = h2Trailers(trailers)
    this.#stream.end()
    this.#finish()
  }

  onDrain(): void {
    this.#stream.resume()
  }

  onFailed(): void {
    this.#break(503, words[503])
  }

  #begin(request: H2Request): void {
    const { core } = this.#client
    const { head, host } = request
    this.#request = request
    this.#fields = head.fields
    this.#isGrpc = isGrpc(head.fields)
    this.#trace = continuedTrace(head.fields, this.#trace)
    if (this.#client.scheme === 'http' && host.endsWith('.run.app')) {
      const location = `https://${host}${request.port}${head.target}` // run trap 21
      return this.#answer({ status: 302, body: '', html: true, more: ['location', location] })
    }
    const choice = chooseRoute(core.routes, core.lot, host, head.target)
    if (choice.kind === 'answer') return this.#answer(choice)
    const { route } = choice
    this.#sessionAffinity = route.sessionAffinity === true
    this.#session = this.#sessionAffinity ? readSession(head.fields) : undefined
    const upstream = (this.#session === undefined ? undefined : boundUpstream(this.#session, choice.targets)) ?? choice.upstream
    this.#route = route
    this.#upstream = upstream
    this.#asHttp2 = upstream.protocol === 'h2c' || this.#isGrpc
    this.#maxBodyBytes = maxBodyBytes(route, this.#asHttp2)
    this.deadlineTicks = this.#startTicks + route.timeoutMs
    if (Number(valueOf(head.fields, 'content-length')) > this.#maxBodyBytes) return this.#tooLarge(413)
    if (route.gate === undefined) this.#acquire(upstream)
    else this.#ask(route.gate, upstream, head.target)
  }

  #ask(gate: Gate, upstream: Upstream, target: string): void {
    const admission = gate({
      authorization: valueOf(this.#fields, 'authorization'),
      serverlessAuthorization: valueOf(this.#fields, 'x-serverless-authorization'),
      target,
      origin: this.#client.origin,
    })
    if (!(admission instanceof Promise)) return this.#admit(admission, upstream)
    admission.then((answer) => this.#over || this.#admit(answer, upstream)).catch(() => this.#break(500, words[500]))
  }

  #admit(admission: Admission, upstream: Upstream): void {
    if (admission.kind === 'refuse') {
      const { status, html, wwwAuthenticate, isUnlogged } = admission
      if (isUnlogged === true) this.#route = undefined
      const more = wwwAuthenticate === undefined ? [] : ['www-authenticate', wwwAuthenticate]
      return this.#answer({ status, body: html, html: true, more })
    }
    const { replace } = admission
    if (replace !== undefined) this.#fields = this.#fields.map((field) => ({ ...field, value: replace[field.lower] ?? field.value }))
    this.#acquire(upstream)
  }

  #acquire(upstream: Upstream): void {
    const preferred = this.#session?.revision === upstream.id ? this.#session.instance : undefined
    const lease = upstream.tryAcquire?.(preferred)
    if (lease !== undefined) return this.#send(lease, upstream)
    this.#waiting = new AbortController()
    upstream
      .acquire(this.#waiting.signal, preferred)
      .then(
        (granted) => (this.#over ? granted.release() : this.#send(granted, upstream)),
        (error: unknown) => {
          const [status, body] = toAnswer(error)
          this.#answer({ status, body })
        },
      )
      .catch(() => this.#break(503, words[503]))
  }

  #send(lease: Lease, upstream: Upstream): void {
    this.#lease = lease
    const { core, remoteIp } = this.#client
    const head = { ...(this.#request as H2Request).head, fields: this.#fields }
    const plain = core.publicOrigins.length > 0 && isBrowserText(head.fields)
    const reply = plain ? replacedReply(this, core.publicOrigins) : this
    if (this.#asHttp2) {
      const raw = h2RequestForApplication(head, this.#front(), remoteIp, this.#trace, plain)
      this.#instance = new H2InstanceRequest(core.sessions, lease.address, raw, this.#isWhole, reply)
    } else {
      const framing = this.#framing()
      const text = requestForApplication(head, framing, this.#front(), remoteIp, this.#trace, { upgrade: false, plain })
      this.#instance = new H1InstanceRequest(core.connections, lease.address, text, head.method, framing, reply)
    }
    if (this.#sessionAffinity) this.#bind({ revision: upstream.id, instance: lease.instance })
    this.#pump(this.#instance)
  }

  /** A client that is bound to another instance, or to none, gets a cookie. */
  #bind(session: Session): void {
    const { revision, instance } = this.#session ?? {}
    if (revision !== session.revision || instance !== session.instance) this.#cookie = sessionCookie(session)
  }

  #pump(instance: InstanceRequest): void {
    const stream = this.#stream
    if (this.#isWhole) return void stream.resume()
    stream.on('data', (piece: Buffer) => {
      this.#requestBytes += piece.length
      if (this.#requestBytes > this.#maxBodyBytes) return this.#tooLarge(413)
      if (!instance.write(piece)) stream.pause()
    })
    stream.on('end', () => {
      if (!stream.aborted) instance.end()
    })
  }

  #framing(): Framing {
    if (this.#isWhole) return { kind: 'none' }
    const length = valueOf(this.#fields, 'content-length')
    return /^\d{1,15}$/.test(length) ? { kind: 'length', bytes: Number(length) } : { kind: 'chunked' }
  }

  #sendTrailers(): void {
    try {
      this.#stream.sendTrailers(toHeaders(this.#trailers))
    } catch {
      breakStream(this.#stream) // what the application sent cannot be said
    }
  }

  #front(): Front {
    return { scheme: this.#client.scheme, host: this.#request?.host ?? '', port: this.#request?.port ?? '' }
  }

  /** An answer of our own; to a gRPC client as trailers alone. */
  #answer(answer: OwnAnswer): void {
    if (this.#over) return
    this.#status = answer.status
    const stream = this.#stream
    const endStream = this.#isGrpc || this.#request?.head.method === 'HEAD'
    try {
      stream.respond(h2Answer(answer, this.#isGrpc), { endStream })
      if (!endStream) stream.end(answer.body)
    } catch {
      breakStream(stream) // it is gone already
    }
    this.#finish()
  }

  #tooLarge(status: 413 | 500): void {
    this.#instance?.abandon()
    const page = status === 413 ? tooLargePage() : serverErrorPage('The response is larger than 32 MiB: stream it in chunks.')
    if (this.#stream.headersSent) this.#break(status, page)
    else this.#answer({ status, body: page, html: true })
  }

  /** No answer comes any more. What has begun cannot be taken back: gRPC has a status for its end, HTTP a reset. */
  #break(status: number, body: string): void {
    if (this.#over) return
    if (!this.#stream.headersSent) return this.#answer({ status, body })
    if (this.#isGrpc) {
      this.#trailers = grpcEnd(status, body)
      this.#stream.end()
    } else breakStream(this.#stream)
    if (status === 504) this.#status = status
    this.#finish()
  }

  #onClose(): void {
    if (!this.#over) {
      this.#waiting?.abort(new Error('The client went away.'))
      this.#instance?.abandon() // on HTTP/2 the application is told, unlike on HTTP/1.1
      this.#status ||= 499
      this.#finish()
    }
    this.#client.onOver(this)
  }

  /** The instance is free again, and the request is on record. What the client did not take yet goes on by itself. */
  #finish(): void {
    this.#over = true
    this.deadlineTicks = this.#client.core.ticksMs() + lingerMs
    this.#lease?.release()
    if (!this.#isWhole && !this.#stream.readableEnded) this.#drain()
    if (this.#route !== undefined && this.#upstream !== undefined) this.#record(this.#route, this.#upstream)
  }

  /** Of the request's body nobody wants the rest: it has a moment to end by itself once the answer is out, for a reset may overtake the answer. */
  #drain(): void {
    const stream = this.#stream
    stream.resume()
    stream.once('finish', () => (this.deadlineTicks = this.#client.core.ticksMs() + drainMs))
  }

  #record(route: Route, upstream: Upstream): void {
    const { core, remoteIp } = this.#client
    core.onRequest({
      timeMs: this.#startMs,
      project: route.project,
      service: route.service,
      revision: upstream.id,
      instance: this.#lease?.instance ?? '',
      method: this.#request?.head.method ?? '',
      target: this.#request?.head.target ?? '',
      status: this.#status,
      latencyMs: core.ticksMs() - this.#startTicks,
      requestBytes: this.#requestBytes,
      responseBytes: this.#responseBytes,
      userAgent: valueOf(this.#fields, 'user-agent'),
      remoteIp,
      traceId: this.#trace.traceId,
    })
  }
}

/** How long a client may take to read the end of an answer that is whole here, and to end a body that nobody wants. */
const lingerMs = 600_000
const drainMs = 1000
