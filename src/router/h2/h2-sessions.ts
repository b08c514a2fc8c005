import http2, { type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2'
import net from 'node:net'
import type { Address } from '../upstream.ts'

interface Session {
  readonly http2: ClientHttp2Session
  streams: number
  /** True once an answer came on it: it may then have been closed by the instance without our knowing. */
  proven: boolean
}

/** What `open` gives: a stream, and whether its session had answered before, so that a second try on a fresh one may do better. */
export interface OpenedStream {
  readonly stream: ClientHttp2Stream
  readonly reused: boolean
}

/** Streams of one session at most. Cloud Run: 100 streams a connection. */
const maxStreams = 100
const idleMs = 60_000

const sessionOptions = {
  settings: { enablePush: false, initialWindowSize: 1 << 18, maxHeaderListSize: 65_536 },
  strictSingleValueFields: false, // what an application or a client sends twice is not ours to judge
  maxSessionMemory: 64, // MB: many slow readers may wait on one session, each within its window
}

/** HTTP/2 sessions with prior knowledge to instances, by address. One that an instance says goodbye on finishes its streams and takes no more. */
export class H2Sessions {
  readonly #sessions = new Map<string, Session[]>()

  /**
   * @param headers names and values in turn, pseudo headers first
   * @param fresh never on a session that was used before: for the second try
   */
  open(address: Address, headers: readonly string[], endStream: boolean, fresh: boolean): OpenedStream {
    const session = (fresh ? undefined : this.#withRoom(address)) ?? this.#connect(address)
    const reused = session.proven
    const stream = session.http2.request(headers, { endStream })
    session.streams += 1
    stream.once('response', () => (session.proven = true))
    stream.once('close', () => {
      session.streams -= 1
      if (session.streams === 0 && session.http2.closed) session.http2.destroy()
    })
    return { stream, reused }
  }

  close(): void {
    const all = [...this.#sessions.values()].flat()
    this.#sessions.clear()
    for (const session of all) session.http2.destroy()
  }

  #withRoom(address: Address): Session | undefined {
    for (const session of this.#sessions.get(keyOf(address)) ?? []) {
      const { closed, destroyed, remoteSettings } = session.http2
      const most = Math.min(maxStreams, remoteSettings?.maxConcurrentStreams ?? maxStreams)
      if (!closed && !destroyed && session.streams < most) return session
    }
    return undefined
  }

  #connect(address: Address): Session {
    const key = keyOf(address)
    const connection = http2.connect(`http://${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`, {
      createConnection: () => net.connect({ host: address.host, port: address.port, noDelay: true }),
      ...sessionOptions,
    })
    const session: Session = { http2: connection, streams: 0, proven: false }
    const forget = () => {
      const known = this.#sessions.get(key)
      const at = known?.indexOf(session) ?? -1
      if (at !== -1) known?.splice(at, 1)
      if (known?.length === 0) this.#sessions.delete(key)
    }
    connection.on('error', () => connection.destroy())
    connection.on('goaway', forget).on('close', forget)
    connection.setTimeout(idleMs, () => {
      if (session.streams === 0) connection.close()
    })
    this.#sessions.set(key, [...(this.#sessions.get(key) ?? []), session])
    return session
  }
}

function keyOf({ host, port }: Address): string {
  return `${host}:${port}`
}
