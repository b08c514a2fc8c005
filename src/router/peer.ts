import type { Socket } from 'node:net'

/** Who is at the other end of a client's connection. */
export interface Peer {
  readonly scheme: 'http' | 'https'
  /** The front port, or an instance that came through the gateway. */
  readonly origin: 'front' | 'instance'
  /** Its address, for X-Forwarded-For and the request log. */
  readonly ip: string
}

/** A client of the front port. */
export function frontPeer(socket: Socket, scheme: Peer['scheme']): Peer {
  return { scheme, origin: 'front', ip: (socket.remoteAddress ?? '127.0.0.1').replace(/^::ffff:/, '') }
}
