import { constants, type ServerHttp2Stream } from 'node:http2'
import type { OwnAnswer } from '../own-answer.ts'
import { grpcEnd, h2Answer, toHeaders } from './h2-answer.ts'
import { breakStream, cancelStream } from './h2-reset.ts'

const { NGHTTP2_NO_ERROR } = constants

/** What goes out on a client's stream. Nothing here throws: a stream that is gone, or an answer that cannot be said, ends that stream alone. */
export class H2ClientStream {
  /** Told by the request's content type: such a client reads how its call ended in trailers. */
  isGrpc = false
  readonly #stream: ServerHttp2Stream
  #trailers: readonly string[] = []
  #mayTrail = false

  constructor(stream: ServerHttp2Stream) {
    this.#stream = stream
    stream.on('error', () => {}) // 'close' follows
  }

  get begun(): boolean {
    return this.#stream.headersSent
  }

  continue(): void {
    if (!this.begun && !this.#stream.destroyed) this.#stream.additionalHeaders({ ':status': 100 })
  }

  /** @param mayTrail trailers may follow the body @returns whether it could be said */
  head(raw: readonly string[], isWhole: boolean, mayTrail: boolean): boolean {
    this.#mayTrail = mayTrail && !isWhole
    if (this.#mayTrail) this.#stream.on('wantTrailers', () => this.#sendTrailers())
    try {
      this.#stream.respond(raw, { endStream: isWhole, waitForTrailers: this.#mayTrail })
      return true
    } catch {
      return false
    }
  }

  /** @returns false when the client lags: the stream tells `drain` */
  write(piece: Buffer): boolean {
    return this.#stream.destroyed || this.#stream.write(piece)
  }

  end(trailers: readonly string[]): void {
    this.#trailers = trailers
    this.#stream.end()
  }

  /** An answer of our own; to a gRPC client as trailers alone. */
  answer(answer: OwnAnswer, isHead: boolean): void {
    const endStream = this.isGrpc || isHead
    try {
      this.#stream.respond(h2Answer(answer, this.isGrpc), { endStream })
      if (!endStream) this.#stream.end(answer.body)
    } catch {
      breakStream(this.#stream)
    }
  }

  /** What has begun cannot be taken back: gRPC has a status for its end, HTTP a reset. */
  breakOff(status: number, text: string): void {
    if (this.isGrpc && this.#mayTrail) this.end(grpcEnd(status, text))
    else breakStream(this.#stream)
  }

  /** The client had its time: to take the end of the answer, or, when it has it, to end a body that nobody wants. */
  close(): void {
    if (this.#stream.writableFinished) this.#stream.close(NGHTTP2_NO_ERROR)
    else cancelStream(this.#stream)
  }

  /** What is left of the body is thrown away. @param onAnswered called once the answer is out: a reset before might overtake it */
  discardBody(onAnswered: () => void): void {
    if (this.#stream.readableEnded) return
    this.#stream.resume()
    this.#stream.once('finish', onAnswered)
  }

  #sendTrailers(): void {
    try {
      this.#stream.sendTrailers(toHeaders(this.#trailers))
    } catch {
      breakStream(this.#stream) // what the application sent cannot be said
    }
  }
}
