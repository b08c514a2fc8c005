import { AnswerHeads } from './answer-heads.ts'
import { answerHead, type AnsweredHead } from './answered-head.ts'
import type { ClientExchange, ExchangeHost, ExchangePlan } from './client-exchange.ts'
import { bodyReader, type BodyReader } from './framing.ts'
import { responseEnd } from './forward-head.ts'
import { HeadError } from './http-head.ts'
import { leftBytes, type LeftBehind } from './left-behind.ts'
import { tooLargeResponse, words } from './pages.ts'
import { OriginReplacer } from './public-origins.ts'
import { mayRepeat, sendHead } from './send-head.ts'
import { kept } from './shared-reads.ts'
import { startsWith } from './starts-with.ts'
import type { UpstreamConnection, UpstreamReader } from './upstream-connection.ts'

/** One request on its way to one instance and back. Bodies pass through; the slower side sets the pace. */
export class Exchange implements ClientExchange, UpstreamReader {
  status = 0
  requestBytes = 0
  responseBytes = 0
  tunnelled = false
  readonly plan: ExchangePlan
  readonly #host: ExchangeHost
  readonly #request: BodyReader
  #upstream: UpstreamConnection
  readonly #heads = new AnswerHeads()
  #answered: AnsweredHead | undefined
  #response: BodyReader | undefined
  #over = false
  /** The client is gone or has another answer: what comes is thrown away. */
  #left = false
  #sentBody = false
  #cleanEnd = true
  #unframed = false
  #replacer: OriginReplacer | undefined
  #flushing: NodeJS.Timeout | undefined

  constructor(host: ExchangeHost, plan: ExchangePlan) {
    this.#host = host
    this.plan = plan
    this.#request = bodyReader(plan.request.framing)
    plan.lease.onLost = () => this.#onLost()
    this.#upstream = this.#open(false)
  }

  get requestDone(): boolean {
    return this.#request.done
  }

  onClientData(data: Buffer, start: number): number {
    if (this.tunnelled) {
      this.requestBytes += data.length - start
      this.#write(start === 0 ? data : data.subarray(start))
      return data.length
    }
    const end = this.#request.take(data, start)
    if (this.#request.payloadBytes > this.plan.maxBodyBytes) throw new HeadError(413, 'The request is larger than 32 MiB.')
    if (end > start) {
      this.requestBytes += end - start
      this.#sentBody = true
      this.#write(start === 0 && end === data.length ? data : data.subarray(start, end))
    }
    return end
  }

  onClientDrain(): void {
    this.#upstream.socket.resume()
  }

  onClientEnd(): void {
    if (this.tunnelled) this.#upstream.socket.end()
  }

  abandon(): void {
    if (this.#over) return
    this.#over = true
    clearTimeout(this.#flushing)
    this.#upstream.detach()
    this.#upstream.socket.destroy()
    this.plan.lease.release()
    if (this.#left) this.#host.core.leftBehind.delete(this)
  }

  /**
   * Goes on by the rules of `mayGoOn`: the slot stays taken, and what the instance still says is read and thrown away, up to 32 MiB.
   * @returns what goes on: the exchange itself
   */
  leave(): LeftBehind | undefined {
    if (this.#over) return undefined
    const { stream } = this.#answered ?? {}
    if (this.tunnelled || !this.#request.done || stream !== undefined) {
      this.abandon()
      return undefined
    }
    this.#left = true
    clearTimeout(this.#flushing)
    this.#upstream.socket.resume()
    return this
  }

  onDrain(): void {
    this.#host.client.resume()
  }

  onData(data: Buffer): void {
    if (this.tunnelled) return this.#toClient(data)
    if (this.#response !== undefined) return this.#replacer === undefined ? this.#body(data, 0) : this.#replaced(this.#replacer, data)
    const all = this.#heads.add(data)
    const { cookie, request } = this.plan
    const { answered } = request
    if (answered !== undefined && cookie === undefined && startsWith(all, answered.bytes, 0)) this.#pass(answered, all)
    else this.#head(all)
  }

  onEnd(error: Error | undefined): void {
    if (this.#over) return
    if (this.tunnelled) return this.#finish(false)
    this.#flush()
    if (this.#over) return
    if (this.#answered === undefined) {
      if (!this.#left && !this.#heads.hasBegun && mayRepeat(this.#upstream, this.plan.request.head.method, this.#sentBody)) {
        this.#upstream = this.#open(true)
        return
      }
      this.plan.lease.broken?.()
      return this.#fail()
    }
    if (this.#answered.framing.kind === 'close' && error === undefined) return this.#finish(false)
    this.#cut() // a truncated body must not look whole
  }

  #onLost(): void {
    if (this.#over) return
    if (this.tunnelled) this.#finish(false)
    else if (this.#answered === undefined) this.#fail()
    else this.#cut()
  }

  #open(fresh: boolean): UpstreamConnection {
    const { request, forApplication, lease } = this.plan
    return sendHead(this.#host.core.connections, lease.address, this, request.head.method, forApplication, fresh)
  }

  #head(all: Buffer): void {
    const { request, cookie } = this.plan
    let answered: AnsweredHead
    let bytes: Buffer
    try {
      const whole = this.#heads.next(all, () => this.#continue())
      if (whole === undefined) return
      bytes = whole.bytes
      answered = answerHead(Buffer.from(bytes.subarray(0, whole.end)), whole.head, request, cookie)
    } catch {
      return this.#fail()
    }
    request.answered = cookie === undefined && answered.bytes.length < 4096 ? answered : undefined
    this.#pass(answered, bytes)
  }

  #pass(answered: AnsweredHead, all: Buffer): void {
    const { request, trace, maxBodyBytes } = this.plan
    const { framing } = answered
    const start = answered.bytes.length
    if (framing.kind === 'length' && framing.bytes > maxBodyBytes) return this.#tooLarge()
    this.status = answered.status
    this.#answered = answered
    this.#response = bodyReader(framing)
    if (this.#left) {
      if (answered.stream === 'events') return this.abandon()
      return this.#body(all, start)
    }
    const forClient = answered.forClient + responseEnd(answered.dated, trace)
    if (answered.status === 101) {
      this.tunnelled = true
      this.#host.client.write(forClient, 'latin1')
      if (all.length > start) this.#toClient(all.subarray(start))
      return this.#host.onTunnel(this)
    }
    this.#unframed = framing.kind === 'chunked' && request.head.minor === 0
    if (!answered.replaces) return this.#headAndBody(forClient, all, start)
    this.#replacer = new OriginReplacer(this.#host.publicOrigins)
    this.#headAndBody(forClient, all, all.length)
    if (start < all.length) this.#replaced(this.#replacer, all.subarray(start))
  }

  /** Body bytes with public origins replaced. What may be the start of one waits a moment for the rest of it. */
  #replaced(replacer: OriginReplacer, data: Buffer): void {
    clearTimeout(this.#flushing)
    this.#body(replacer.next(kept(data)), 0)
    if (!this.#over && !this.#left) this.#flushing = setTimeout(() => this.#flush(), 20)
  }

  #flush(): void {
    clearTimeout(this.#flushing)
    const rest = this.#replacer?.rest()
    if (rest !== undefined && !this.#over) this.#body(rest, 0)
  }

  /** The head with as much of the body as came along, in one write: as one string where it is short, which needs no buffer. */
  #headAndBody(text: string, all: Buffer, start: number): void {
    if (this.#unframed || start >= all.length) {
      this.#host.client.write(text, 'latin1')
      return this.#body(all, start)
    }
    const end = this.#take(all, start)
    if (end === undefined) return
    this.responseBytes += end - start
    const { client } = this.#host
    let flows: boolean
    if (end - start <= shortBytes) flows = client.write(text + all.toString('latin1', start, end), 'latin1')
    else {
      client.cork()
      client.write(text, 'latin1')
      flows = client.write(kept(all.subarray(start, end)))
      client.uncork()
    }
    if (!flows) this.#upstream.socket.pause()
    this.#afterBody(all, end)
  }

  #body(data: Buffer, start: number): void {
    if (this.#unframed) {
      const end = this.#take(data, start, (piece) => this.#toClient(piece))
      if (end !== undefined) this.#afterBody(data, end)
      return
    }
    const end = this.#take(data, start)
    if (end === undefined) return
    if (end > start) this.#toClient(start === 0 && end === data.length ? data : data.subarray(start, end))
    if (this.#left && this.responseBytes > leftBytes) return this.abandon()
    this.#afterBody(data, end)
  }

  #take(data: Buffer, start: number, onData?: (piece: Buffer) => void): number | undefined {
    try {
      return this.#response?.take(data, start, onData)
    } catch {
      this.#cut()
      return undefined
    }
  }

  #afterBody(data: Buffer, end: number): void {
    if (this.#response?.done !== true) return
    if (end < data.length) this.#cleanEnd = false // bytes after the body: not the next answer
    this.#finish(this.#answered?.close === false)
  }

  #continue(): void {
    if (this.plan.request.head.minor === 1 && !this.#left) this.#host.client.write('HTTP/1.1 100 Continue\r\n\r\n')
  }

  #toClient(data: Buffer): void {
    this.responseBytes += data.length
    if (!this.#left && !this.#host.client.write(kept(data))) this.#upstream.socket.pause()
  }

  #write(data: Buffer): void {
    if (!this.#upstream.socket.write(kept(data))) this.#host.client.pause()
  }

  #finish(keep: boolean): void {
    if (this.#over) return
    this.#over = true
    const whole = this.#request.done && !this.tunnelled
    if (this.#cleanEnd && this.#answered?.keepUpstream === true && whole)
      this.#host.core.connections.give(this.plan.lease.address, this.#upstream)
    else {
      this.#upstream.detach()
      this.#upstream.socket.destroy()
    }
    this.plan.lease.release()
    if (this.#left) this.#host.core.leftBehind.delete(this)
    else this.#host.onDone(keep && whole)
  }

  #fail(): void {
    if (this.#over) return
    this.abandon()
    if (this.#left) return
    this.status = 503
    this.#host.answer({ status: 503, body: words[503] })
  }

  #tooLarge(): void {
    this.abandon()
    if (!this.#left) this.#host.answer(tooLargeResponse())
  }

  #cut(): void {
    if (this.#over) return
    this.abandon()
    if (this.#left) return
    this.#host.client.destroy()
    this.#host.onDone(false)
  }
}

/** Bodies up to this are written with their heads as one string. */
const shortBytes = 8192
