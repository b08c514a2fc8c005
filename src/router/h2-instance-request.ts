import { constants, type ClientHttp2Stream } from 'node:http2'
import { isIdempotent } from './exchange.ts'
import { cancelStream } from './h2-reset.ts'
import { toFields } from './h2-fields.ts'
import type { H2Sessions } from './h2-sessions.ts'
import type { Field } from './http-head.ts'
import type { InstanceReply, InstanceRequest } from './instance-request.ts'
import type { Address } from './upstream.ts'

const { NGHTTP2_NO_ERROR, NGHTTP2_REFUSED_STREAM, NGHTTP2_FLAG_END_STREAM } = constants

/** A request to an instance that speaks HTTP/2 with prior knowledge. */
export class H2InstanceRequest implements InstanceRequest {
  readonly #sessions: H2Sessions
  readonly #address: Address
  readonly #headers: readonly string[]
  readonly #endStream: boolean
  readonly #reply: InstanceReply
  #stream: ClientHttp2Stream
  #reused = false
  #sentBody = false
  #ended: boolean
  #answered = false
  #over = false
  #trailers: readonly Field[] = []

  /** @param headers names and values in turn, `:method` first @param isWhole no body follows */
  constructor(sessions: H2Sessions, address: Address, headers: readonly string[], isWhole: boolean, reply: InstanceReply) {
    this.#sessions = sessions
    this.#address = address
    this.#headers = headers
    this.#endStream = isWhole
    this.#ended = isWhole
    this.#reply = reply
    this.#stream = this.#open(false)
  }

  write(piece: Buffer): boolean {
    this.#sentBody = true
    if (this.#stream.destroyed || this.#stream.writableEnded) return true // its end is on the way to us
    return this.#stream.write(piece)
  }

  end(): void {
    this.#ended = true
    if (!this.#endStream) this.#stream.end()
  }

  pause(): void {
    this.#stream.pause()
  }

  resume(): void {
    this.#stream.resume()
  }

  abandon(): void {
    if (this.#over) return
    this.#over = true
    cancelStream(this.#stream)
  }

  #open(fresh: boolean): ClientHttp2Stream {
    const { stream, reused } = this.#sessions.open(this.#address, this.#headers, this.#endStream, fresh)
    this.#reused = reused
    stream.on('response', (_headers, flags, raw) => this.#onResponse(flags, raw ?? []))
    stream.on('continue', () => this.#over || this.#reply.onContinue())
    stream.on('trailers', (_headers, _flags, raw) => (this.#trailers = toFields(raw ?? [])))
    stream.on('drain', () => this.#reply.onDrain())
    stream.on('error', () => {}) // 'close' follows
    stream.on('close', () => this.#onClose(stream))
    return stream
  }

  #onResponse(flags: number, raw: readonly string[]): void {
    if (this.#over) return
    this.#answered = true
    const fields = toFields(raw)
    const status = Number(raw[raw.indexOf(':status') + 1])
    const isWhole = (flags & NGHTTP2_FLAG_END_STREAM) !== 0
    if (isWhole) this.#finish()
    this.#reply.onHead({ status, reason: '', minor: 1, fields }, isWhole)
    if (isWhole) return void this.#stream.resume()
    this.#stream.on('data', (piece: Buffer) => this.#over || this.#reply.onPiece(piece))
    this.#stream.on('end', () => this.#onEnd())
  }

  #onEnd(): void {
    if (this.#over || this.#stream.rstCode !== NGHTTP2_NO_ERROR) return // a broken stream ends too: 'close' tells
    this.#finish()
    this.#reply.onEnd(this.#trailers)
  }

  /** The answer is whole; of the request's body nobody wants the rest. */
  #finish(): void {
    this.#over = true
    if (!this.#ended) this.#stream.close(NGHTTP2_NO_ERROR)
  }

  #onClose(stream: ClientHttp2Stream): void {
    if (this.#over || stream !== this.#stream) return
    if (!this.#answered && !this.#sentBody && this.#mayRepeat(stream) && this.#repeat()) return
    this.#over = true
    this.#reply.onFailed()
  }

  /** A stream that was refused was not looked at; one whose session was over may have been, and then twice must be as good as once. */
  #mayRepeat({ rstCode }: ClientHttp2Stream): boolean {
    return this.#reused && (rstCode === NGHTTP2_REFUSED_STREAM || isIdempotent(this.#headers[1] ?? ''))
  }

  /** The session had ended without our knowing: a fresh one may do better. */
  #repeat(): boolean {
    try {
      this.#stream = this.#open(true)
    } catch {
      return false
    }
    if (this.#ended && !this.#endStream) this.#stream.end()
    return true
  }
}
