import { constants, type ServerHttp2Stream } from 'node:http2'
import { CloudError } from '../../base/cloud-error.ts'
import { maxBodyBytes } from '../body-limit.ts'
import { chooseRoute } from '../choose-route.ts'
import { continuedTrace, valueOf, type Trace } from '../forward-head.ts'
import { isGrpc } from './grpc-status.ts'
import type { OwnAnswer } from './h2-answer.ts'
import { H2ClientStream } from './h2-client-stream.ts'
import { h2ResponseForClient, h2Trailers, readH2Request, type H2Request } from './h2-fields.ts'
import { HeadError, type Field, type ResponseHead } from '../http-head.ts'
import type { InstanceReply, InstanceRequest } from '../instance-request.ts'
import { openInstanceRequest, type UnframedRequest } from '../open-instance-request.ts'
import { LeftHandler, mayGoOn } from '../left-behind.ts'
import type { Front } from '../origin.ts'
import type { Peer } from '../peer.ts'
import { serverErrorPage, toAnswer, tooLargePage, words } from '../pages.ts'
import type { RouterCore } from '../router-core.ts'
import type { RouteChoice } from '../routes.ts'
import { sessionCookie } from '../session-affinity.ts'
import type { Listed } from '../swap-list.ts'
import { freshTrace } from '../trace.ts'
import type { Admission, Gate, Lease } from '../upstream.ts'

const { NGHTTP2_FLAG_END_STREAM } = constants

/** What the streams of one client share. */
export interface H2Client {
  readonly core: RouterCore
  readonly peer: Peer
  /** The stream has nothing more to say. */
  onOver(exchange: H2Exchange): void
}

/** One request of an HTTP/2 client: to an instance, of either protocol, and back. */
export class H2Exchange implements InstanceReply, Listed {
  place = -1
  /** Ticks at which this must be done; checked by the router's one timer. */
  deadlineTicks: number
  readonly #client: H2Client
  readonly #stream: ServerHttp2Stream
  readonly #out: H2ClientStream
  readonly #isWhole: boolean
  readonly #startMs: number
  readonly #startTicks: number
  #request: H2Request | undefined
  #fields: readonly Field[] = []
  #choice: RouteChoice | undefined
  #lease: Lease | undefined
  #waiting: AbortController | undefined
  #instance: InstanceRequest | undefined
  #trace: Trace = freshTrace()
  #asHttp2 = false
  #maxBodyBytes = Infinity
  #cookie: Field | undefined
  #answered: ResponseHead | undefined
  /** The handler goes on without this. */
  #isLeft = false
  #status = 0
  #requestBytes = 0
  #responseBytes = 0
  #over = false

  constructor(client: H2Client, stream: ServerHttp2Stream, flags: number, raw: readonly string[]) {
    this.#client = client
    this.#stream = stream
    this.#out = new H2ClientStream(stream)
    this.#isWhole = (flags & NGHTTP2_FLAG_END_STREAM) !== 0
    this.#startMs = client.core.nowMs()
    this.#startTicks = client.core.ticksMs()
    this.deadlineTicks = this.#startTicks + 15_000
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
    if (this.#over) return this.#out.close()
    this.#waiting?.abort(new CloudError('DEADLINE_EXCEEDED', words[504], 'Raise timeoutSeconds.'))
    this.#leave()
    this.#break(504, words[504])
  }

  onContinue(): void {
    if (!this.#over) this.#out.continue()
  }

  onHead(head: ResponseHead, isWhole: boolean): void {
    if (Number(valueOf(head.fields, 'content-length')) > this.#maxBodyBytes && !isWhole) return this.#tooLarge(500)
    this.#status = head.status
    this.#answered = head
    const whole = this.#cookie === undefined ? head : { ...head, fields: [...head.fields, this.#cookie] }
    if (!this.#out.head(h2ResponseForClient(whole, this.#front(), this.#trace), isWhole, this.#asHttp2)) {
      this.#instance?.abandon()
      return this.#break(503, words[503])
    }
    if (isWhole) return this.#finish()
    this.#stream.on('drain', () => this.#instance?.resume())
  }

  onPiece(piece: Buffer): void {
    if (this.#over) return
    this.#responseBytes += piece.length
    if (!this.#out.write(piece)) this.#instance?.pause()
  }

  onEnd(trailers: readonly Field[]): void {
    this.#out.end(h2Trailers(trailers))
    this.#finish()
  }

  onDrain(): void {
    this.#stream.resume()
  }

  onFailed(): void {
    if (!this.#stream.headersSent) this.#lease?.broken?.()
    this.#break(503, words[503])
  }

  #begin(request: H2Request): void {
    const { core } = this.#client
    const { head, host } = request
    this.#request = request
    this.#fields = head.fields
    this.#out.isGrpc = isGrpc(head.fields)
    this.#trace = continuedTrace(head.fields, this.#trace)
    if (this.#client.peer.scheme === 'http' && host.endsWith('.run.app')) {
      const location = `https://${host}${request.port}${head.target}` // run trap 21
      return this.#answer({ status: 302, body: '', html: true, more: ['location', location] })
    }
    const choice = chooseRoute(core.routes, core.lot, host, head)
    if (choice.kind === 'answer') return this.#answer(choice)
    const { route, upstream, timeoutMs } = choice
    this.#choice = choice
    this.#asHttp2 = upstream.protocol === 'h2c' || this.#out.isGrpc
    this.#maxBodyBytes = maxBodyBytes(route, this.#asHttp2)
    this.deadlineTicks = this.#startTicks + timeoutMs
    if (Number(valueOf(head.fields, 'content-length')) > this.#maxBodyBytes) return this.#tooLarge(413)
    if (route.gate === undefined) this.#acquire(choice)
    else this.#ask(route.gate, choice, head.target)
  }

  #ask(gate: Gate, choice: RouteChoice, target: string): void {
    const admission = gate({
      authorization: valueOf(this.#fields, 'authorization'),
      serverlessAuthorization: valueOf(this.#fields, 'x-serverless-authorization'),
      target,
      origin: this.#client.peer.origin,
    })
    if (!(admission instanceof Promise)) return this.#admit(admission, choice)
    admission.then((answer) => this.#over || this.#admit(answer, choice)).catch(() => this.#break(500, words[500]))
  }

  #admit(admission: Admission, choice: RouteChoice): void {
    if (admission.kind === 'refuse') {
      const { status, html, wwwAuthenticate, isUnlogged } = admission
      if (isUnlogged === true) this.#choice = undefined
      const more = wwwAuthenticate === undefined ? [] : ['www-authenticate', wwwAuthenticate]
      return this.#answer({ status, body: html, html: true, more })
    }
    const { replace } = admission
    if (replace !== undefined) this.#fields = this.#fields.map((field) => ({ ...field, value: replace[field.lower] ?? field.value }))
    this.#acquire(choice)
  }

  #acquire(choice: RouteChoice): void {
    const { upstream, preferred } = choice
    const lease = upstream.tryAcquire?.(preferred)
    if (lease !== undefined) return this.#send(lease, choice)
    this.#waiting = new AbortController()
    upstream
      .acquire(this.#waiting.signal, preferred)
      .then(
        (granted) => (this.#over ? granted.release() : this.#send(granted, choice)),
        (error: unknown) => {
          const [status, body] = toAnswer(error)
          this.#answer({ status, body })
        },
      )
      .catch(() => this.#break(503, words[503]))
  }

  #send(lease: Lease, { upstream, preferred }: RouteChoice): void {
    this.#lease = lease
    const { core, peer } = this.#client
    const request: UnframedRequest = {
      head: { ...(this.#request as H2Request).head, fields: this.#fields },
      front: this.#front(),
      remoteIp: peer.ip,
      trace: this.#trace,
      isWhole: this.#isWhole,
      asHttp2: this.#asHttp2,
    }
    this.#instance = openInstanceRequest(core, lease.address, request, this)
    this.#cookie = sessionCookie(upstream, lease, preferred)
    lease.onLost = () => {
      this.#instance?.abandon()
      this.#break(503, words[503])
    }
    this.#pump(this.#instance)
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

  /** The handler goes on without its client, or is cut. */
  #leave(): void {
    const [instance, lease, choice] = [this.#instance, this.#lease, this.#choice]
    if (instance === undefined || lease === undefined || choice === undefined) return
    const isRequestWhole = this.#isWhole || (this.#stream.readableEnded && !this.#stream.aborted)
    if (!mayGoOn(isRequestWhole, this.#answered)) return instance.abandon()
    const { core } = this.#client
    const left = new LeftHandler(instance, lease, this.#answered !== undefined, () => core.leftBehind.delete(left))
    core.leftBehind.set(left, core.ticksMs() + choice.timeoutMs)
    this.#instance = undefined
    this.#isLeft = true
  }

  #front(): Front {
    return { scheme: this.#client.peer.scheme, host: this.#request?.host ?? '', port: this.#request?.port ?? '' }
  }

  #answer(answer: OwnAnswer): void {
    if (this.#over) return
    this.#status = answer.status
    this.#out.answer(answer, this.#request?.head.method === 'HEAD')
    this.#finish()
  }

  #tooLarge(status: 413 | 500): void {
    this.#instance?.abandon()
    const page = status === 413 ? tooLargePage() : serverErrorPage('The response is larger than 32 MiB: stream it in chunks.')
    if (this.#out.begun) this.#break(status, page)
    else this.#answer({ status, body: page, html: true })
  }

  /** No answer comes any more. */
  #break(status: number, body: string): void {
    if (this.#over) return
    if (!this.#out.begun) return this.#answer({ status, body })
    this.#out.breakOff(status, body)
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
    if (!this.#isLeft) this.#lease?.release()
    if (!this.#isWhole) this.#out.discardBody(() => (this.deadlineTicks = this.#client.core.ticksMs() + drainMs))
    if (this.#choice !== undefined) this.#record(this.#choice)
  }

  #record({ route, upstream }: RouteChoice): void {
    const { core, peer } = this.#client
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
      remoteIp: peer.ip,
      traceId: this.#trace.traceId,
    })
  }
}

/** How long a client may take to read the end of an answer that is whole here, and to end a body that nobody wants. */
const lingerMs = 600_000
const drainMs = 1000
