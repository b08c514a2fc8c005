import type { Socket } from 'node:net'
import { bodyReader, responseFraming, type BodyReader, type Framing } from './framing.ts'
import { continuedTrace, requestForApplication, responseForClient, valueOf, type Trace } from './forward-head.ts'
import { headLimitBytes, readResponseHead, type Field, type RequestHead, type ResponseHead } from './http-head.ts'
import type { Front } from './origin.ts'
import { words } from './pages.ts'
import { isBrowserText, isPlainText, OriginReplacer, type PublicOrigin } from './public-origins.ts'
import type { ConnectionPool, UpstreamConnection, UpstreamReader } from './upstream-connection.ts'
import type { Lease } from './upstream.ts'

/** What an exchange tells the connection that it belongs to. */
export interface ExchangeHost {
  readonly client: Socket
  readonly connections: ConnectionPool
  /** Replaced in what browsers read. */
  readonly publicOrigins: readonly PublicOrigin[]
  /** The response is out. `keep` when the client's connection may carry another request. */
  onDone(exchange: Exchange, keep: boolean): void
  /** From now on bytes are raw: what came behind the request belongs to the tunnel. */
  onTunnel(exchange: Exchange): void
  /** The instance failed before a byte of the response went out: answer `status` with `body`. */
  onFailed(exchange: Exchange, status: number, body: string): void
}

/** One request on its way to one instance and back. Bodies pass through; the slower side sets the pace. */
export class Exchange implements UpstreamReader {
  readonly head: RequestHead
  readonly trace: Trace
  status = 0
  requestBytes = 0
  responseBytes = 0
  /** True once the connections carry raw bytes: after 101. */
  tunnelled = false
  readonly #host: ExchangeHost
  readonly #framing: Framing
  readonly #front: Front
  readonly #lease: Lease
  readonly #request: BodyReader
  readonly #upgrade: boolean
  readonly #remoteIp: string
  #upstream: UpstreamConnection
  #pending: Buffer | undefined
  #response: BodyReader | undefined
  #responseFraming: Framing | undefined
  #closeAfter: boolean
  #over = false
  #sentBody = false
  #keepUpstream = false
  #unframed = false
  readonly #plain: boolean
  #replacer: OriginReplacer | undefined
  #flushing: NodeJS.Timeout | undefined
  #interims = 0

  constructor(host: ExchangeHost, head: RequestHead, framing: Framing, front: Front, remoteIp: string, fresh: Trace, lease: Lease) {
    this.#host = host
    this.head = head
    this.#framing = framing
    this.#front = front
    this.#remoteIp = remoteIp
    this.#lease = lease
    this.#request = bodyReader(framing)
    this.#upgrade = valueOf(head.fields, 'upgrade') !== '' && /(^|,)\s*upgrade\s*(,|$)/i.test(valueOf(head.fields, 'connection'))
    this.#closeAfter = head.minor === 0 || isClosing(head.fields)
    this.trace = continuedTrace(head.fields, fresh)
    this.#plain = host.publicOrigins.length > 0 && isBrowserText(head.fields)
    this.#upstream = this.#open(false)
  }

  get requestDone(): boolean {
    return this.#request.done
  }

  /** Bytes of the client. Answers the index after the last one that belongs to this request. @throws HeadError for malformed chunks */
  onClientData(data: Buffer, start: number): number {
    if (this.tunnelled) {
      this.requestBytes += data.length - start
      this.#write(start === 0 ? data : data.subarray(start))
      return data.length
    }
    const end = this.#request.take(data, start)
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

  /** The client is gone, or the time is over: the instance's connection is cut, its slot is free. */
  abandon(): void {
    if (this.#over) return
    this.#over = true
    this.#upstream.detach()
    this.#upstream.socket.destroy()
    this.#lease.release()
  }

  onDrain(): void {
    this.#host.client.resume()
  }

  onData(data: Buffer): void {
    if (this.tunnelled) return this.#toClient(data)
    if (this.#response !== undefined) return this.#replacer === undefined ? this.#body(data, 0) : this.#replaced(this.#replacer, data)
    const all = this.#pending === undefined ? data : Buffer.concat([this.#pending, data])
    const end = all.indexOf('\r\n\r\n')
    if (end === -1) {
      this.#pending = all
      if (all.length > headLimitBytes) this.#fail()
      return
    }
    this.#pending = undefined
    this.#head(all, end)
  }

  onEnd(error: Error | undefined): void {
    if (this.#over) return
    if (this.tunnelled) return this.#finish(false)
    this.#flush()
    if (this.#over) return
    if (this.#response === undefined) {
      if (this.#upstream.reused && !this.#sentBody && this.#pending === undefined) {
        this.#upstream = this.#open(true)
        return
      }
      return this.#fail()
    }
    if (this.#responseFraming?.kind === 'close' && error === undefined) return this.#finish(false)
    this.#cut() // a truncated body must not look whole
  }

  #open(fresh: boolean): UpstreamConnection {
    const connection = this.#host.connections.take(this.#lease.address, fresh)
    connection.attach(this)
    connection.socket.write(
      requestForApplication(this.head, this.#framing, this.#front, this.#remoteIp, this.trace, {
        upgrade: this.#upgrade,
        plain: this.#plain,
      }),
      'latin1',
    )
    return connection
  }

  #head(all: Buffer, end: number): void {
    let head: ResponseHead
    let framing: Framing
    try {
      head = readResponseHead(all.toString('latin1', 0, end))
      if (head.status < 200 && head.status !== 101) return this.#interim(head.status, all, end)
      if (head.status === 101 && !this.#upgrade) return this.#fail()
      framing = responseFraming(head, this.head.method)
    } catch {
      return this.#fail()
    }
    this.status = head.status
    this.#responseFraming = framing
    this.#response = bodyReader(framing)
    if (framing.kind === 'close') this.#closeAfter = true
    const unframed = framing.kind === 'chunked' && this.head.minor === 0
    const text = responseForClient(head, unframed ? { kind: 'close' } : framing, this.#front, this.trace, this.#closeAfter)
    this.#keepUpstream = !isClosing(head.fields) && head.minor === 1 && framing.kind !== 'close'
    this.#unframed = unframed
    if (head.status === 101) {
      this.tunnelled = true
      this.#host.client.write(text, 'latin1')
      if (all.length > end + 4) this.#toClient(all.subarray(end + 4))
      return this.#host.onTunnel(this)
    }
    if (!this.#plain || !isPlainText(head.fields)) return this.#headAndBody(text, all, end + 4)
    this.#replacer = new OriginReplacer(this.#host.publicOrigins)
    this.#headAndBody(text, all, all.length)
    if (end + 4 < all.length) this.#replaced(this.#replacer, all.subarray(end + 4))
  }

  /** Body bytes with public origins replaced. What may be the start of one waits a moment for the rest of it. */
  #replaced(replacer: OriginReplacer, data: Buffer): void {
    clearTimeout(this.#flushing)
    this.#body(replacer.next(data), 0)
    if (!this.#over) this.#flushing = setTimeout(() => this.#flush(), 20)
  }

  #flush(): void {
    clearTimeout(this.#flushing)
    const rest = this.#replacer?.rest()
    if (rest !== undefined && !this.#over) this.#body(rest, 0)
  }

  /** The head with as much of the body as came along, in one write. */
  #headAndBody(text: string, all: Buffer, start: number): void {
    if (this.#unframed || start >= all.length) {
      this.#host.client.write(text, 'latin1')
      return this.#body(all, start)
    }
    const end = this.#take(all, start)
    if (end === undefined) return
    const whole = Buffer.allocUnsafe(text.length + end - start)
    whole.write(text, 0, 'latin1')
    all.copy(whole, text.length, start, end)
    this.responseBytes += end - start
    this.#toClientRaw(whole)
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
    if (end < data.length) this.#keepUpstream = false // bytes after the body: not the next answer
    this.#finish(!this.#closeAfter)
  }

  /** 100 goes to a client that may wait for it; other interim answers are ours to drop. */
  #interim(status: number, all: Buffer, end: number): void {
    if (status === 100 && this.head.minor === 1) this.#host.client.write('HTTP/1.1 100 Continue\r\n\r\n')
    this.#interims += 1
    if (this.#interims > 16) return this.#fail()
    if (all.length > end + 4) this.onData(all.subarray(end + 4))
  }

  #toClient(data: Buffer): void {
    this.responseBytes += data.length
    this.#toClientRaw(data)
  }

  #toClientRaw(data: Buffer): void {
    if (!this.#host.client.write(data)) this.#upstream.socket.pause()
  }

  #write(data: Buffer): void {
    if (!this.#upstream.socket.write(data)) this.#host.client.pause()
  }

  #finish(keep: boolean): void {
    if (this.#over) return
    this.#over = true
    const whole = this.#request.done && !this.tunnelled
    if (this.#keepUpstream && whole) this.#host.connections.give(this.#lease.address, this.#upstream)
    else {
      this.#upstream.detach()
      this.#upstream.socket.destroy()
    }
    this.#lease.release()
    this.#host.onDone(this, keep && whole)
  }

  #fail(): void {
    if (this.#over) return
    this.abandon()
    this.status = 503
    this.#host.onFailed(this, 503, words[503])
  }

  #cut(): void {
    if (this.#over) return
    this.abandon()
    this.#host.client.destroy()
    this.#host.onDone(this, false)
  }
}

function isClosing(fields: readonly Field[]): boolean {
  return /(^|,)\s*close\s*(,|$)/i.test(valueOf(fields, 'connection'))
}
