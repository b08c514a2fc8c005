import { STATUS_CODES } from 'node:http'
import type { ClientExchange, ExchangeHost, ExchangePlan } from '../client-exchange.ts'
import { bodyReader, type BodyReader, type Framing } from '../framing.ts'
import { hasDate, responseEnd, untracedResponse, valueOf } from '../forward-head.ts'
import { H2InstanceRequest } from './h2-instance-request.ts'
import type { H2Sessions } from './h2-sessions.ts'
import type { ResponseHead } from '../http-head.ts'
import type { InstanceReply } from '../instance-request.ts'
import { LeftHandler, mayGoOn, type LeftBehind } from '../left-behind.ts'
import { words } from '../pages.ts'
import { replacedReply } from '../replaced-reply.ts'
import { kept } from '../shared-reads.ts'

/** One request of an HTTP/1.1 client to an instance that speaks HTTP/2, and back. Trailers have no place in the answer and are dropped. */
export class H2cExchange implements ClientExchange, InstanceReply {
  status = 0
  requestBytes = 0
  responseBytes = 0
  readonly tunnelled = false
  readonly #host: ExchangeHost
  readonly #plan: ExchangePlan
  readonly #request: BodyReader
  readonly #instance: H2InstanceRequest
  #answered: ResponseHead | undefined
  #framing: Framing = { kind: 'none' }
  #keep = false
  #over = false
  /** The instance has enough for now, and the client waits for it. */
  #isHeld = false

  /** @param headers for the application: names and values in turn, pseudo headers first */
  constructor(host: ExchangeHost, sessions: H2Sessions, plan: ExchangePlan, headers: readonly string[]) {
    const { request, lease } = plan
    this.#host = host
    this.#plan = plan
    this.#request = bodyReader(request.framing)
    const reply = request.plain ? replacedReply(this, host.publicOrigins) : this
    this.#instance = new H2InstanceRequest(sessions, lease.address, headers, this.#request.done, reply)
    lease.onLost = () => {
      if (this.#over) return
      this.#instance.abandon()
      this.onFailed()
    }
  }

  get requestDone(): boolean {
    return this.#request.done
  }

  onClientData(data: Buffer, start: number): number {
    const end = this.#request.take(kept(data), start, (piece) => {
      if (!this.#instance.write(piece)) this.#isHeld = true
    })
    this.requestBytes += end - start
    if (end > start && this.#request.done) this.#instance.end()
    if (this.#isHeld) this.#host.client.pause()
    return end
  }

  onClientDrain(): void {
    this.#instance.resume()
  }

  onClientEnd(): void {}

  abandon(): void {
    if (this.#over) return
    this.#instance.abandon()
    this.#finish()
  }

  leave(): LeftBehind | undefined {
    if (this.#over) return undefined
    if (!mayGoOn(this.#request.done, this.#answered)) {
      this.abandon()
      return undefined
    }
    this.#over = true
    const left = new LeftHandler(this.#instance, this.#plan.lease, this.#answered !== undefined, () =>
      this.#host.core.leftBehind.delete(left),
    )
    return left
  }

  onContinue(): void {
    if (this.#plan.request.head.minor === 1) this.#host.client.write('HTTP/1.1 100 Continue\r\n\r\n')
  }

  onHead(head: ResponseHead, isWhole: boolean): void {
    this.status = head.status
    this.#answered = head
    const { request, trace, cookie } = this.#plan
    this.#framing = framingOf(head, request.head.method, isWhole, request.head.minor)
    const close = request.close || this.#framing.kind === 'close'
    this.#keep = !close
    const fields = head.fields.filter(({ lower }) => lower !== 'content-length' || this.#framing.kind !== 'chunked')
    if (isWhole && valueOf(fields, 'content-length') === '' && this.#framing.kind === 'length')
      fields.push({ name: 'Content-Length', lower: 'content-length', value: '0' })
    if (cookie !== undefined) fields.push(cookie)
    const whole = { ...head, reason: STATUS_CODES[head.status] ?? '', fields }
    const text = untracedResponse(whole, this.#framing, request.front, close) + responseEnd(hasDate(head), trace)
    this.#host.client.write(text, 'latin1')
    if (isWhole) this.#done()
  }

  onPiece(piece: Buffer): void {
    if (this.#over) return
    this.responseBytes += piece.length
    const { client } = this.#host
    let flows: boolean
    if (this.#framing.kind !== 'chunked') flows = client.write(piece)
    else if (piece.length === 0) return
    else {
      client.cork()
      client.write(`${piece.length.toString(16)}\r\n`, 'latin1')
      client.write(piece)
      flows = client.write('\r\n')
      client.uncork()
    }
    if (!flows) this.#instance.pause()
  }

  onEnd(): void {
    if (this.#framing.kind === 'chunked') this.#host.client.write('0\r\n\r\n')
    this.#done()
  }

  onDrain(): void {
    this.#isHeld = false
    if (!this.#over) this.#host.client.resume()
  }

  onFailed(): void {
    const begun = this.status !== 0
    if (!begun) this.#plan.lease.broken?.()
    this.#finish()
    if (!begun) {
      this.status = 503
      return this.#host.answer({ status: 503, body: words[503] })
    }
    this.#host.client.destroy() // a truncated body must not look whole
    this.#host.onDone(false)
  }

  #done(): void {
    this.#finish()
    this.#host.onDone(this.#keep && this.#request.done)
  }

  #finish(): void {
    if (this.#over) return
    this.#over = true
    this.#plan.lease.release()
  }
}

/** How HTTP/1 delimits a body that HTTP/2 delimited by frames. */
function framingOf(head: ResponseHead, method: string, isWhole: boolean, minor: 0 | 1): Framing {
  if (method === 'HEAD' || head.status === 204 || head.status === 304) return { kind: 'none' }
  const length = valueOf(head.fields, 'content-length')
  if (isWhole) return { kind: 'length', bytes: 0 }
  if (/^\d{1,15}$/.test(length)) return { kind: 'length', bytes: Number(length) }
  return minor === 1 ? { kind: 'chunked' } : { kind: 'close' }
}
