import { constants, type ServerHttp2Stream } from 'node:http2'
import { clientTraceId, valueOf } from '../forward-head.ts'
import { isGrpc } from './grpc-status.ts'
import { H2ClientStream } from './h2-client-stream.ts'
import { h2ResponseForClient, h2Trailers, readH2Request, type H2Request } from './h2-fields.ts'
import type { Field, ResponseHead } from '../http-head.ts'
import type { InstanceReply, InstanceRequest } from '../instance-request.ts'
import { openInstanceRequest, type UnframedRequest } from '../open-instance-request.ts'
import { LeftHandler, mayGoOn, type LeftBehind } from '../left-behind.ts'
import type { OwnAnswer } from '../own-answer.ts'
import { Passage, type PassageClient, type PassageRequest, type Replaced } from '../passage.ts'
import type { Peer } from '../peer.ts'
import { tooLargeRequest, tooLargeResponse, toRefusal, words } from '../pages.ts'
import type { RouterCore } from '../router-core.ts'
import { sessionCookie } from '../session-affinity.ts'
import type { Listed } from '../swap-list.ts'
import type { Lease } from '../upstream.ts'

const { NGHTTP2_FLAG_END_STREAM } = constants

/** What the streams of one client share. */
export interface H2Client {
  readonly core: RouterCore
  readonly peer: Peer
  /** The stream has nothing more to say. */
  onOver(exchange: H2Exchange): void
}

/** One request of an HTTP/2 client: to an instance, of either protocol, and back. */
export class H2Exchange implements InstanceReply, PassageClient, Listed {
  place = -1
  /** Ticks at which this must be done; checked by the router's one timer. */
  deadlineTicks: number
  readonly #client: H2Client
  readonly #stream: ServerHttp2Stream
  readonly #out: H2ClientStream
  readonly #isWhole: boolean
  #passage: Passage | undefined
  #lease: Lease | undefined
  #instance: InstanceRequest | undefined
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
    this.deadlineTicks = client.core.ticksMs() + 15_000
    stream.on('close', () => this.#onClose())
    try {
      const request = toRequest(readH2Request(raw), client.peer)
      this.#out.isGrpc = isGrpc(request.head.fields)
      this.#passage = new Passage(client.core, client.peer, this, request)
      this.#passage.begin()
      if (!this.#over) this.deadlineTicks = this.#passage.untilTicks
    } catch (error) {
      this.answer(toRefusal(error))
    }
  }

  /** The router's timer found the deadline over. */
  onDeadline(): void {
    if (this.#over) return this.#out.close()
    this.#passage?.leave(this.#leave())
    this.#break({ status: 504, body: words[504] })
  }

  answer(answer: OwnAnswer): void {
    if (this.#over) return
    this.#status = answer.status
    this.#out.answer(answer, this.#passage?.request.head.method === 'HEAD')
    this.#finish()
  }

  send(lease: Lease, replace: Replaced | undefined): void {
    const passage = this.#passage
    if (passage?.choice === undefined) return lease.release()
    const { core, peer } = this.#client
    const { head, front } = passage.request
    const fields =
      replace === undefined ? head.fields : head.fields.map((field) => ({ ...field, value: replace[field.lower] ?? field.value }))
    const request: UnframedRequest = {
      head: { ...head, fields },
      front,
      remoteIp: peer.ip,
      trace: passage.trace,
      isWhole: this.#isWhole,
      asHttp2: passage.asHttp2,
    }
    this.#instance = openInstanceRequest(core, lease.address, request, this)
    this.#lease = lease
    this.#cookie = sessionCookie(passage.choice.upstream, lease, passage.choice.preferred)
    lease.onLost = () => {
      this.#instance?.abandon()
      this.#break({ status: 503, body: words[503] })
    }
    this.#pump(this.#instance, passage.maxBodyBytes)
  }

  onContinue(): void {
    if (!this.#over) this.#out.continue()
  }

  onHead(head: ResponseHead, isWhole: boolean): void {
    const passage = this.#passage
    if (passage === undefined) return
    if (Number(valueOf(head.fields, 'content-length')) > passage.maxBodyBytes && !isWhole) return this.#tooLarge(tooLargeResponse())
    this.#status = head.status
    this.#answered = head
    const whole = this.#cookie === undefined ? head : { ...head, fields: [...head.fields, this.#cookie] }
    if (!this.#out.head(h2ResponseForClient(whole, passage.request.front, passage.trace), isWhole, passage.asHttp2)) {
      this.#instance?.abandon()
      return this.#break({ status: 503, body: words[503] })
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
    this.#break({ status: 503, body: words[503] })
  }

  #pump(instance: InstanceRequest, maxBodyBytes: number): void {
    const stream = this.#stream
    if (this.#isWhole) return void stream.resume()
    stream.on('data', (piece: Buffer) => {
      this.#requestBytes += piece.length
      if (this.#requestBytes > maxBodyBytes) return this.#tooLarge(tooLargeRequest())
      if (!instance.write(piece)) stream.pause()
    })
    stream.on('end', () => {
      if (!stream.aborted) instance.end()
    })
  }

  /** The handler goes on without its client, or is cut. @returns what goes on */
  #leave(): LeftBehind | undefined {
    const [instance, lease] = [this.#instance, this.#lease]
    if (instance === undefined || lease === undefined) return undefined
    const isRequestWhole = this.#isWhole || (this.#stream.readableEnded && !this.#stream.aborted)
    if (!mayGoOn(isRequestWhole, this.#answered)) {
      instance.abandon()
      return undefined
    }
    this.#instance = undefined
    this.#isLeft = true
    const left = new LeftHandler(instance, lease, this.#answered !== undefined, () => this.#client.core.leftBehind.delete(left))
    return left
  }

  #tooLarge(answer: OwnAnswer): void {
    this.#instance?.abandon()
    this.#break(answer)
  }

  /** No answer of the instance comes any more. */
  #break(answer: OwnAnswer): void {
    if (this.#over) return
    if (!this.#out.begun) return this.answer(answer)
    this.#out.breakOff(answer.status, answer.body)
    if (answer.status === 504) this.#status = answer.status
    this.#finish()
  }

  #onClose(): void {
    if (!this.#over) {
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
    this.#passage?.end(this.#status, this.#requestBytes, this.#responseBytes)
  }
}

function toRequest({ head, host, port }: H2Request, { scheme }: Peer): PassageRequest {
  const { fields } = head
  return {
    head,
    front: { scheme, host, port },
    traceId: clientTraceId(fields),
    userAgent: valueOf(fields, 'user-agent'),
    declaredBytes: Number(valueOf(fields, 'content-length')),
  }
}

/** How long a client may take to read the end of an answer that is whole here, and to end a body that nobody wants. */
const lingerMs = 600_000
const drainMs = 1000
