import { AnswerHeads, type WholeHead } from './answer-heads.ts'
import { bodyReader, responseFraming, type BodyReader, type Framing } from './framing.ts'
import type { InstanceReply, InstanceRequest } from './instance-request.ts'
import { mayRepeat, sendHead } from './send-head.ts'
import { kept } from './shared-reads.ts'
import type { ConnectionPool, UpstreamConnection, UpstreamReader } from './upstream-connection.ts'
import type { Address } from './upstream.ts'

const chunkEnd = Buffer.from('\r\n')
const lastChunk = Buffer.from('0\r\n\r\n')

/** A request to an instance that speaks HTTP/1.1, of a client that does not: bodies get their framing here, and lose it. */
export class H1InstanceRequest implements InstanceRequest, UpstreamReader {
  readonly #connections: ConnectionPool
  readonly #address: Address
  readonly #text: string
  readonly #method: string
  readonly #framing: Framing
  #reply: InstanceReply
  #upstream: UpstreamConnection
  readonly #heads = new AnswerHeads()
  #body: BodyReader | undefined
  #untilClose = false
  #keep = false
  #sentBody = false
  #isLeft = false
  #ended: boolean
  #over = false

  /** @param text the head, with its empty line @param framing of the request's body, as `text` declares it */
  constructor(connections: ConnectionPool, address: Address, text: string, method: string, framing: Framing, reply: InstanceReply) {
    this.#connections = connections
    this.#address = address
    this.#text = text
    this.#method = method
    this.#framing = framing
    this.#reply = reply
    this.#ended = framing.kind === 'none'
    this.#upstream = this.#open(false)
  }

  write(piece: Buffer): boolean {
    if (piece.length === 0 || this.#over) return true
    const { socket } = this.#upstream
    this.#sentBody = true
    if (this.#framing.kind !== 'chunked') return socket.write(piece)
    socket.cork()
    socket.write(`${piece.length.toString(16)}\r\n`, 'latin1')
    socket.write(piece)
    const more = socket.write(chunkEnd)
    socket.uncork()
    return more
  }

  end(): void {
    if (this.#ended || this.#over) return
    this.#ended = true
    if (this.#framing.kind === 'chunked') this.#upstream.socket.write(lastChunk)
  }

  pause(): void {
    this.#upstream.socket.pause()
  }

  resume(): void {
    this.#upstream.socket.resume()
  }

  handOver(reply: InstanceReply): void {
    this.#reply = reply
    this.#isLeft = true
    this.resume()
  }

  abandon(): void {
    if (this.#over) return
    this.#over = true
    this.#drop()
  }

  onDrain(): void {
    this.#reply.onDrain()
  }

  onData(read: Buffer): void {
    const data = kept(read)
    if (this.#body !== undefined) return this.#take(this.#body, data, 0)
    this.#head(this.#heads.add(data))
  }

  onEnd(error: Error | undefined): void {
    if (this.#over) return
    if (this.#body === undefined && this.#mayRepeat()) {
      this.#upstream = this.#open(true)
      if (this.#ended && this.#framing.kind === 'chunked') this.#upstream.socket.write(lastChunk)
      return
    }
    if (this.#untilClose && error === undefined) return this.#finish()
    this.#fail()
  }

  #open(fresh: boolean): UpstreamConnection {
    return sendHead(this.#connections, this.#address, this, this.#method, this.#text, fresh)
  }

  #mayRepeat(): boolean {
    return !this.#isLeft && !this.#heads.hasBegun && mayRepeat(this.#upstream, this.#method, this.#sentBody)
  }

  #head(all: Buffer): void {
    let whole: WholeHead | undefined
    let framing: Framing
    try {
      whole = this.#heads.next(all, () => this.#reply.onContinue())
      if (whole === undefined) return
      if (whole.head.status === 101) return this.#fail() // it was not asked for
      framing = responseFraming(whole.head, this.#method)
    } catch {
      return this.#fail()
    }
    const { head, bytes, end } = whole
    const body = bodyReader(framing)
    this.#body = body
    this.#untilClose = framing.kind === 'close'
    this.#keep =
      head.minor === 1 && !this.#untilClose && !head.fields.some((field) => field.lower === 'connection' && /close/i.test(field.value))
    const isWhole = body.done
    if (isWhole) this.#release(end === bytes.length)
    this.#reply.onHead(head, isWhole)
    if (!isWhole && end < bytes.length) this.#take(body, bytes, end)
  }

  #take(body: BodyReader, data: Buffer, start: number): void {
    let end: number
    try {
      end = body.take(data, start, (piece) => this.#over || this.#reply.onPiece(piece))
    } catch {
      return this.#fail()
    }
    if (!body.done || this.#over) return
    this.#release(end === data.length)
    this.#reply.onEnd([])
  }

  #finish(): void {
    this.#release(false)
    this.#reply.onEnd([])
  }

  /** @param clean nothing came behind the response */
  #release(clean: boolean): void {
    this.#over = true
    if (this.#keep && this.#ended && clean) this.#connections.give(this.#address, this.#upstream)
    else this.#drop()
  }

  #drop(): void {
    this.#upstream.detach()
    this.#upstream.socket.destroy()
  }

  #fail(): void {
    if (this.#over) return
    this.abandon()
    this.#reply.onFailed()
  }
}
