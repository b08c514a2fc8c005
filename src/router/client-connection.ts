import type { Socket } from 'node:net'
import type { ClientExchange, ExchangeHost } from './client-exchange.ts'
import { readClientRequest, type ClientRequest } from './client-request.ts'
import { HeadError, headLimitBytes } from './http-head.ts'
import { openExchange } from './open-exchange.ts'
import type { OwnAnswer } from './own-answer.ts'
import { h1Answer, toRefusal, words } from './pages.ts'
import { Passage, type PassageClient, type Replaced } from './passage.ts'
import type { Peer } from './peer.ts'
import type { PublicOrigin } from './public-origins.ts'
import type { RouterCore } from './router-core.ts'
import { kept } from './shared-reads.ts'
import { startsWith } from './starts-with.ts'
import type { Listed } from './swap-list.ts'
import type { Lease } from './upstream.ts'

/** A client's connection: one request after another, read strictly, each handed to an instance. */
export class ClientConnection implements ExchangeHost, PassageClient, Listed {
  place = -1
  readonly client: Socket
  readonly publicOrigins: readonly PublicOrigin[]
  /** Ticks at which this connection must be done with what it does now; checked by the router's one timer. */
  deadlineTicks: number
  readonly core: RouterCore
  readonly #peer: Peer
  /** What came and is not read yet. */
  #rest: Buffer | undefined
  /** The request under way. */
  #passage: Passage<ClientRequest> | undefined
  /** What goes between the client and the instance that the request under way has. */
  #exchange: ClientExchange | undefined
  #last: ClientRequest | undefined
  /** The last answer is written: nothing that still comes is a request. */
  #closing = false
  #closingSince: number | undefined

  constructor(core: RouterCore, client: Socket, peer: Peer) {
    this.core = core
    this.client = client
    this.publicOrigins = core.publicOrigins
    this.#peer = peer
    this.deadlineTicks = core.ticksMs() + headMs
    client.on('data', (data: Buffer) => this.onData(data))
    client.on('drain', () => this.#exchange?.onClientDrain())
    client.on('end', () => this.#onEnd())
    client.on('error', () => client.destroy())
    client.on('close', () => this.#onClose())
  }

  /** @param data of `sharedReads` */
  onData(data: Buffer): void {
    if (this.#closing) return
    try {
      if (this.#passage !== undefined) return this.#passBody(data, 0)
      const all = this.#rest === undefined ? data : Buffer.concat([this.#rest, data])
      // A head may come in pieces for 15 s, counted from its first one.
      if (this.#rest === undefined) this.deadlineTicks = this.core.ticksMs() + headMs
      this.#rest = undefined
      this.#readHead(all)
    } catch (error) {
      this.#refuse(error)
    }
  }

  /** The router's timer found the deadline over. */
  onDeadline(): void {
    const [passage, exchange] = [this.#passage, this.#exchange]
    if (this.#closing) return this.#onLingered()
    if (passage === undefined) {
      if (this.#rest === undefined) this.client.destroy()
      else this.#end(h1Answer({ status: 408, body: 'The request head did not come in time.' }))
      return
    }
    if (this.deadlineTicks < passage.untilTicks) return this.#bodyStalled(passage, exchange)
    const begun = exchange !== undefined && exchange.status !== 0
    passage.leave(exchange?.leave())
    if (!begun) return this.answer({ status: 504, body: words[504] })
    this.#over(504)
    this.client.destroy() // half a response cannot be taken back
  }

  answer(answer: OwnAnswer): void {
    if (this.#passage === undefined) return
    this.#end(h1Answer(answer, this.#passage.request.head.method === 'HEAD'))
    this.#over(answer.status)
  }

  send(lease: Lease, replace: Replaced | undefined): void {
    const passage = this.#passage
    if (passage === undefined) return lease.release()
    this.#exchange = openExchange(this.core, this, passage, lease, this.#peer.ip, replace)
    this.deadlineTicks = passage.untilTicks
    if (!this.#exchange.requestDone) this.#bodyMoved(passage)
    const held = this.#rest // what came while an instance was waited for
    if (held === undefined) return
    this.#rest = undefined
    this.client.resume()
    try {
      this.#passBody(held, 0)
    } catch (error) {
      this.#refuse(error)
    }
  }

  onDone(keep: boolean): void {
    if (this.#passage === undefined) return
    this.#over(this.#exchange?.status ?? 0)
    if (keep) this.#next()
    else this.#end()
  }

  onTunnel(exchange: ClientExchange): void {
    const rest = this.#rest
    this.#rest = undefined
    if (rest !== undefined) exchange.onClientData(rest, 0)
    this.client.resume()
  }

  #readHead(all: Buffer): void {
    let start = 0
    while (start < 64 && all[start] === 0x0d && all[start + 1] === 0x0a) start += 2 // RFC 9112, 2.2: empty lines before a request
    const last = this.#last
    if (last !== undefined && startsWith(all, last.bytes, start)) return this.#begin(last, all, start + last.bytes.length)
    const end = all.indexOf('\r\n\r\n', start)
    if (end === -1 ? all.length > headLimitBytes : end > headLimitBytes) throw new HeadError(431, 'The request head is larger than 64 KiB.')
    if (end === -1) {
      if (all.length > start) this.#rest = kept(all)
      return
    }
    const facts = { scheme: this.#peer.scheme, remoteIp: this.#peer.ip, replacesOrigins: this.publicOrigins.length > 0 }
    const request = readClientRequest(Buffer.from(all.subarray(start, end + 4)), facts)
    this.#last = end - start < 4096 ? request : undefined
    this.#begin(request, all, end + 4)
  }

  #begin(request: ClientRequest, all: Buffer, bodyStart: number): void {
    const passage = new Passage(this.core, this.#peer, this, request)
    this.#passage = passage
    passage.begin()
    if (this.#passage !== passage) return // it is answered
    if (this.#exchange === undefined) this.deadlineTicks = passage.untilTicks
    if (bodyStart < all.length) this.#passBody(all, bodyStart)
  }

  /** As much of `data` as belongs to the request under way goes on; the rest, and all of it while there is no instance, is held. */
  #passBody(data: Buffer, start: number): void {
    const exchange = this.#exchange
    const end = exchange?.onClientData(data, start) ?? start
    if (exchange?.requestDone === false && this.#passage !== undefined) this.#bodyMoved(this.#passage)
    if (end < data.length) this.#hold(end === 0 ? data : data.subarray(end))
  }

  /** The start of a next request, kept until this one is answered; before an instance is there, the body of this one. */
  #hold(data: Buffer): void {
    this.#rest = this.#rest === undefined ? kept(data) : Buffer.concat([this.#rest, data])
    if (this.#rest.length > headLimitBytes) this.client.pause()
  }

  #next(): void {
    const rest = this.#rest
    if (rest === undefined && this.client.readableEnded) return this.#end() // it closed its half behind the request
    this.client.resume()
    this.deadlineTicks = this.core.ticksMs() + (rest === undefined ? idleMs : headMs)
    if (rest === undefined) return
    this.#rest = undefined
    setImmediate(() => {
      if (!this.client.destroyed) this.onData(rest)
    })
  }

  /** Bytes of a body came: the next ones are waited for anew, but not beyond the request's own time. */
  #bodyMoved({ untilTicks }: Passage): void {
    this.deadlineTicks = Math.min(untilTicks, this.core.ticksMs() + bodyIdleMs)
  }

  #bodyStalled(passage: Passage, exchange: ClientExchange | undefined): void {
    if (exchange === undefined || exchange.requestDone || this.client.isPaused()) {
      this.deadlineTicks = passage.untilTicks // it is not the client that keeps us waiting
      if (exchange?.requestDone === false) this.#bodyMoved(passage)
      return
    }
    exchange.abandon()
    if (exchange.status === 0) return this.answer({ status: 408, body: 'The request body did not come in time.' })
    this.client.destroy()
  }

  /** The request under way is over, and on record. */
  #over(status: number): void {
    const passage = this.#passage
    const exchange = this.#exchange
    this.#passage = undefined
    this.#exchange = undefined
    passage?.end(status, exchange?.requestBytes ?? 0, exchange?.responseBytes ?? 0)
  }

  /** Nothing more is said, and what the client still sends is thrown away for a moment: closed at once, it might not read the last answer. */
  #end(answer?: string): void {
    this.#closing = true
    this.#rest = undefined
    this.#last = undefined
    this.deadlineTicks = this.core.ticksMs() + lingerMs
    if (answer === undefined) this.client.end()
    else this.client.end(answer)
    this.client.resume()
  }

  /** The last answer stays until the client has read it, slow as it may be. */
  #onLingered(): void {
    const now = this.core.ticksMs()
    this.#closingSince ??= now
    if (this.client.writableFinished || now - this.#closingSince > idleMs) this.client.destroy()
    else this.deadlineTicks = now + lingerMs
  }

  #refuse(error: unknown): void {
    const exchange = this.#exchange
    exchange?.abandon()
    if (exchange !== undefined && exchange.status !== 0) {
      this.client.destroy() // half a response cannot be taken back
      return
    }
    const answer = toRefusal(error)
    if (this.#passage !== undefined) this.answer(answer)
    else this.#end(h1Answer(answer))
  }

  #onEnd(): void {
    const exchange = this.#exchange
    if (this.#passage === undefined) this.client.end()
    else if (exchange?.tunnelled === true) exchange.onClientEnd()
    // A client that closes its half before the answer begins still wants it (a script with nc); one that does so later has left (F34, F37),
    // and one that does so within its request's body has given up.
    else if (exchange !== undefined && (exchange.status !== 0 || !exchange.requestDone)) this.client.destroy()
  }

  #onClose(): void {
    const [passage, exchange] = [this.#passage, this.#exchange]
    this.#last = undefined
    if (passage === undefined) return
    this.#over(exchange?.status || 499)
    passage.leave(exchange?.leave(), passage.untilTicks)
  }
}

/** How long a head may take, a connection may wait for its next request, a body may stand still, and a client may take to see its last answer. */
const headMs = 15_000
const idleMs = 620_000
const bodyIdleMs = 120_000
const lingerMs = 2000
