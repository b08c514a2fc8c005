import type { LoggedRequest } from '../telemetry/logged-request.ts'
import { goesAsHttp2, maxBodyBytes } from './body-limit.ts'
import { chooseRoute } from './choose-route.ts'
import { valueOf, type Trace } from './forward-head.ts'
import type { RequestHead } from './http-head.ts'
import type { LeftBehind } from './left-behind.ts'
import type { Front } from './origin.ts'
import type { OwnAnswer } from './own-answer.ts'
import { toAnswer, tooLargeRequest, words } from './pages.ts'
import type { Peer } from './peer.ts'
import type { RouterCore } from './router-core.ts'
import type { RouteChoice } from './routes.ts'
import { freshTrace } from './trace.ts'
import type { Admission, Gate, Lease } from './upstream.ts'

/** What a passage needs of a request. */
export interface PassageRequest {
  readonly head: RequestHead
  readonly front: Front
  /** The trace that the client began. */
  readonly traceId: string | undefined
  readonly userAgent: string
  /** Of the body, where the head tells them; else 0. */
  readonly declaredBytes: number
}

/** Values that the application sees instead of the client's, by header names in lower case. */
export type Replaced = Readonly<Record<string, string>>

/** What the client's protocol does in the passage of its request. */
export interface PassageClient {
  /** Answers in place of an instance, and ends the passage. */
  answer(answer: OwnAnswer): void
  /** Passes the request on. From here on the client owns the lease. @throws Error when the request cannot be said in what the instance speaks */
  send(lease: Lease, replace: Replaced | undefined): void
}

/**
 * The way of one request, the same for every protocol: redirect, route, limit, gate, lease; then its deadline, what is left behind, and its record.
 * A class, as are all that are made for each request, for what `SlotLease` says.
 */
export class Passage<Request extends PassageRequest = PassageRequest> {
  readonly request: Request
  readonly trace: Trace
  readonly startMs: number
  readonly startTicks: number
  /** The id of the one that took it. */
  instance = ''
  /** Undefined until there is a route. */
  choice: RouteChoice | undefined = undefined
  /** Whether the instance is spoken to in HTTP/2. */
  asHttp2 = false
  /** Of the request, and of a response that tells its length. */
  maxBodyBytes = Infinity
  /** Ticks at which the time of the request is over. */
  untilTicks = Infinity
  readonly #core: RouterCore
  readonly #peer: Peer
  readonly #client: PassageClient
  #waiting: AbortController | undefined = undefined
  #isUnlogged = false
  #isOver = false

  constructor(core: RouterCore, peer: Peer, client: PassageClient, request: Request) {
    this.#core = core
    this.#peer = peer
    this.#client = client
    this.request = request
    this.trace = freshTrace(request.traceId)
    this.startMs = core.nowMs()
    this.startTicks = core.ticksMs()
  }

  /** Until the request is passed on, answered, or waits. */
  begin(): void {
    const { head, front, declaredBytes } = this.request
    if (this.#peer.scheme === 'http' && front.host.endsWith('.run.app')) {
      const location = `https://${front.host}${front.port}${head.target}` // the port takes TLS as well (run trap 21)
      return this.#client.answer({ status: 302, body: '', html: true, location })
    }
    const choice = chooseRoute(this.#core.routes, this.#core.lot, front.host, head)
    if (choice.kind === 'answer') return this.#client.answer(choice)
    const { route, upstream, timeoutMs } = choice
    this.choice = choice
    this.untilTicks = this.startTicks + timeoutMs
    this.asHttp2 = goesAsHttp2(upstream, head.fields)
    this.maxBodyBytes = maxBodyBytes(route, this.asHttp2)
    if (declaredBytes > this.maxBodyBytes) return this.#client.answer(tooLargeRequest())
    if (route.gate === undefined) this.#acquire(choice, undefined)
    else this.#ask(route.gate, choice)
  }

  /**
   * The client is gone, or has the answer that its time is over.
   * @param left what goes on at the instance without the client; undefined when that was cut
   * @param untilTicks when it is cut: by default after the time that a request may take, once more
   */
  leave(left: LeftBehind | undefined, untilTicks = this.#core.ticksMs() + (this.choice?.timeoutMs ?? 0)): void {
    if (left !== undefined) this.#core.leftBehind.set(left, untilTicks)
  }

  /** The request is answered, or its client is gone: what waits for it stops, and the log is told of it where it had a route. */
  end(status: number, requestBytes: number, responseBytes: number): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#waiting?.abort(new Error('The request is over.'))
    const { choice } = this
    if (choice === undefined || this.#isUnlogged) return
    const latencyMs = this.#core.ticksMs() - this.startTicks
    this.#core.onRequest(new FinishedRequest(this, choice, this.#peer.ip, status, latencyMs, requestBytes, responseBytes))
  }

  /** Asks who may call; without waiting where the gate answers at once. */
  #ask(gate: Gate, choice: RouteChoice): void {
    const { fields, target } = this.request.head
    let admission: Admission | Promise<Admission>
    try {
      admission = gate({
        authorization: valueOf(fields, 'authorization'),
        serverlessAuthorization: valueOf(fields, 'x-serverless-authorization'),
        target,
        origin: this.#peer.origin,
      })
    } catch {
      return this.#fail()
    }
    if (!(admission instanceof Promise)) return this.#admit(admission, choice)
    admission.then(
      (answer) => this.#admit(answer, choice),
      () => this.#fail(),
    )
  }

  #admit(admission: Admission, choice: RouteChoice): void {
    if (this.#isOver) return
    if (admission.kind === 'pass') return this.#acquire(choice, admission.replace)
    const { status, html, wwwAuthenticate, isUnlogged } = admission
    this.#isUnlogged = isUnlogged === true
    this.#client.answer({ status, body: html, html: true, wwwAuthenticate })
  }

  #acquire({ upstream, preferred }: RouteChoice, replace: Replaced | undefined): void {
    const lease = upstream.tryAcquire?.(preferred)
    if (lease !== undefined) return this.#send(lease, replace)
    this.#waiting = new AbortController()
    upstream.acquire(this.#waiting.signal, preferred).then(
      (granted) => this.#send(granted, replace),
      (error: unknown) => this.#isOver || this.#client.answer(toAnswer(error)),
    )
  }

  #send(lease: Lease, replace: Replaced | undefined): void {
    if (this.#isOver) return lease.release()
    this.#waiting = undefined
    this.instance = lease.instance
    try {
      this.#client.send(lease, replace)
    } catch {
      lease.release()
      this.#client.answer({ status: 400, body: 'The request cannot be said in HTTP/2.' })
    }
  }

  #fail(): void {
    if (!this.#isOver) this.#client.answer({ status: 500, body: words[500] })
  }
}

class FinishedRequest implements LoggedRequest {
  readonly timeMs: number
  readonly project: string
  readonly service: string
  readonly revision: string
  readonly instance: string
  readonly method: string
  readonly target: string
  readonly status: number
  readonly latencyMs: number
  readonly requestBytes: number
  readonly responseBytes: number
  readonly userAgent: string
  readonly remoteIp: string
  readonly traceId: string

  constructor(
    { startMs, instance, request, trace }: Passage,
    { route, upstream }: RouteChoice,
    remoteIp: string,
    status: number,
    latencyMs: number,
    requestBytes: number,
    responseBytes: number,
  ) {
    this.timeMs = startMs
    this.project = route.project
    this.service = route.service
    this.revision = upstream.id
    this.instance = instance
    this.method = request.head.method
    this.target = request.head.target
    this.status = status
    this.latencyMs = latencyMs
    this.requestBytes = requestBytes
    this.responseBytes = responseBytes
    this.userAgent = request.userAgent
    this.remoteIp = remoteIp
    this.traceId = trace.traceId
  }
}
