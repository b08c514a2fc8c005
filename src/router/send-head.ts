import type { ConnectionPool, UpstreamConnection, UpstreamReader } from './upstream-connection.ts'
import type { Address } from './upstream.ts'

/**
 * A connection that rested this long may be about to be closed by the instance (servers of Python wait 2 s, Node 5 s, and an instance that was
 * paused closes all when it goes on): a request that cannot be repeated takes a new one.
 */
const restMs = 1000

/** Sends the head of a request over HTTP/1.1. @param fresh never on a connection that was used before: for the second try */
export function sendHead(
  connections: ConnectionPool,
  address: Address,
  reader: UpstreamReader,
  method: string,
  text: string,
  fresh: boolean,
): UpstreamConnection {
  const connection = connections.take(address, fresh, isIdempotent(method) ? Infinity : restMs)
  connection.attach(reader)
  connection.socket.write(text, 'latin1')
  return connection
}

/**
 * Whether a request is sent once more when its connection ends without a byte of an answer: the instance may have closed a connection that rested
 * before it read what was written; if it has read it, twice must be as good as once.
 */
export function mayRepeat(connection: UpstreamConnection, method: string, sentBody: boolean): boolean {
  return connection.reused && isIdempotent(method) && !sentBody
}

/** Source: RFC 9110, section 9.2.2. */
export function isIdempotent(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'PUT' || method === 'DELETE' || method === 'OPTIONS'
}
