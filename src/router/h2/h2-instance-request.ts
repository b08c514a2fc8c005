import { constants, type ClientHttp2Stream } from 'node:http2'
import { isIdempotent } from '../send-head.ts'
import { cancelStream } from './h2-reset.ts'
import { toFields } from './h2-fields.ts'
import type { H2Sessions } from './h2-sessions.ts'
import type { Field } from '../http-head.ts'
import type { InstanceReply, InstanceRequest } from '../instance-request.ts'
import type { Address } from '../upstream.ts'

const { NGHTTP2_NO_ERROR, NGHTTP2_REFUSED_STREAM, NGHTTP2_FLAG_END_STREAM } = constants

/** A request to an instance that speaks HTTP/2 with prior knowledge. */
export class H2InstanceRequest implements InstanceRequest {
  readonly #sessions: H2Sessions
  readonly #address: Address
  readonly #headers: readonly string[]
  readonly #endStream: boolean
  #reply: InstanceReply
  #stream: ClientHttp2Stream
  #reused = false
  /** What was sent of the body, while it is little and may have to be sent again. */
  #sent: Buffer[] | undefined = []
  #sentBytes = 0
  #tries = 1
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
    this.#remember(piece)
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

  handOver(reply: InstanceReply): void {
    this.#reply = reply
    this.#sent = undefined
    this.resume()
  }

  abandon(): void {
    if (this.#over) return
    this.#over = true
    cancelStream(this.#stream)
  }

  #remember(piece: Buffer): void {
    this.#sentBytes += piece.length
    if (this.#answered || this.#sentBytes > repeatableBytes) this.#sent = undefined
    else this.#sent?.push(piece)
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
    this.#sent = undefined
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
    if (!this.#answered && this.#repeat(stream)) return
    this.#over = true
    this.#reply.onFailed()
  }

  /**
   * Once more, where that is safe. A stream that was refused was not looked at: the instance says goodbye, or takes fewer streams than it was sent.
   * One whose session was over may have been, and then twice must be as good as once.
   */
  #repeat({ rstCode }: ClientHttp2Stream): boolean {
    const isRefused = rstCode === NGHTTP2_REFUSED_STREAM
    const isSafe = isRefused || (this.#reused && this.#sentBytes === 0 && isIdempotent(this.#headers[1] ?? ''))
    const sent = this.#sent
    if (!isSafe || sent === undefined || this.#tries >= mostTries) return false
    this.#tries += 1
    try {
      this.#stream = this.#open(!isRefused)
    } catch {
      return false
    }
    for (const piece of sent) this.#stream.write(piece)
    if (this.#ended && !this.#endStream) this.#stream.end()
    return true
  }
}

/** As much as a unary call mostly has. */
const repeatableBytes = 65_536
const mostTries = 10
