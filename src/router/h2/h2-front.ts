import http2, { type Http2Session, type ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import type { Peer } from '../peer.ts'
import type { RouterCore } from '../router-core.ts'
import { SwapList, type Listed } from '../swap-list.ts'
import { H2Exchange, type H2Client } from './h2-exchange.ts'

/** Serves clients that speak HTTP/2, over TLS or with prior knowledge. */
export interface H2Front extends Disposable {
  /** Takes a connection whose next byte is the first of HTTP/2's preface. */
  accept(socket: Socket, peer: Peer): void
  /** Ends what is over its time; called again and again by the router's one timer. */
  sweep(nowTicks: number): void
}

/** A client that asks nothing for so long is told goodbye; one that asks nothing at first, soon. */
const idleMs = 620_000
const firstRequestMs = 15_000

/**
 * What keeps one client from taking more than its share; nghttp2 closes a session that floods it with resets, settings, pings or empty frames (S29).
 * 100 streams as Cloud Run has it.
 */
const options: http2.ServerSessionOptions = {
  settings: { maxConcurrentStreams: 100, maxHeaderListSize: 65_536, initialWindowSize: 1 << 18, enablePush: false },
  maxSessionMemory: 32, // MB
  maxSettings: 32,
  maxOutstandingPings: 10,
  maxHeaderListPairs: 256,
  strictSingleValueFields: false, // what an application sends twice is not ours to judge
}

interface Client extends H2Client, Listed {
  readonly session: Http2Session
  streams: number
  idleSinceTicks: number
  hasAsked: boolean
}

export function openH2Front(core: RouterCore): H2Front {
  const clients = new SwapList<Client>()
  const exchanges = new SwapList<H2Exchange>()
  return {
    accept(socket, peer) {
      socket.allowHalfOpen = false // a client that ends its half has left
      socket.on('error', () => socket.destroy())
      if (socket.destroyed) return
      const session = http2.performServerHandshake(socket, options)
      const client: Client = {
        core,
        peer,
        session,
        place: -1,
        streams: 0,
        idleSinceTicks: core.ticksMs(),
        hasAsked: false,
        onOver(exchange) {
          exchanges.delete(exchange)
          client.streams -= 1
          client.idleSinceTicks = core.ticksMs()
        },
      }
      clients.add(client)
      session.on('stream', (stream: ServerHttp2Stream, _headers: unknown, flags: number, raw: readonly string[]) => {
        client.streams += 1
        client.hasAsked = true
        exchanges.add(new H2Exchange(client, stream, flags, raw))
      })
      session.on('error', () => session.destroy())
      session.on('close', () => clients.delete(client))
    },
    sweep(nowTicks) {
      for (const exchange of exchanges) if (exchange.deadlineTicks < nowTicks) exchange.onDeadline()
      for (const { streams, idleSinceTicks, hasAsked, session } of clients) {
        if (streams > 0 || nowTicks - idleSinceTicks < (hasAsked ? idleMs : firstRequestMs)) continue
        if (session.closed) session.destroy() // it was told before, and did not leave
        else session.close()
      }
    },
    [Symbol.dispose]() {
      for (const { session } of clients) session.destroy()
    },
  }
}
