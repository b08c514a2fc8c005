import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import http2 from 'node:http2'
import type { Duplex } from 'node:stream'
import { closeUnread } from './close-unread.ts'

/** HTTP parsers for connections that another part accepted. */
export interface HttpEnds extends Disposable {
  /** Serves the requests of `socket`, which may be paused. */
  accept(socket: Duplex, protocol: 'h2' | 'http1'): void
}

/** @param socket the socket that `accept` got */
export type OnRequest = (request: IncomingMessage, response: ServerResponse, socket: Duplex) => void

/**
 * @param onRequest gets the requests of both protocols; a request of HTTP/2 has `headers.host` set from `:authority`
 * @param onConnect gets the CONNECT requests of HTTP/1.1; without `onConnect` they are refused
 */
export function openHttpEnds(onRequest: OnRequest, onConnect?: (request: IncomingMessage, socket: Duplex, head: Buffer) => void): HttpEnds {
  const plain = http.createServer(
    // requestTimeout would cut long uploads (S30); connections of clients' pools are kept as long as Google's front end does
    { headersTimeout: 15_000, requestTimeout: 0, keepAliveTimeout: 620_000, maxHeaderSize: 65_536, connectionsCheckingInterval: 5000 },
    (request, response) => {
      if (closeUnread(request, response)) onRequest(request, response, request.socket)
    },
  )
  plain.emit('listening') // starts the watch on headersTimeout, which node:http ties to its own port
  plain.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (socket.writable && !socket.destroyed) socket.end(badRequest(error.code))
    else socket.destroy()
  })
  if (onConnect !== undefined) plain.on('connect', onConnect)

  const accepted = new WeakMap<object, Duplex>() // a session shows its socket through a proxy object alone
  let accepting: Duplex | undefined
  const h2 = http2.createServer(
    { settings: { maxConcurrentStreams: 100, maxHeaderListSize: 65_536, initialWindowSize: 1 << 20 } }, // S29
    (request, response) => {
      const authority = request.headers[':authority']
      if (authority !== undefined) request.headers.host = authority
      const socket = accepted.get(request.stream.session ?? request) ?? request.socket
      onRequest(request as unknown as IncomingMessage, response as unknown as ServerResponse, socket)
    },
  )
  h2.on('sessionError', () => {})
  h2.on('session', (session) => {
    if (accepting !== undefined) accepted.set(session, accepting)
    session.on('error', () => session.destroy())
    session.setTimeout(3_600_000, () => session.close())
  })
  return {
    accept(socket, protocol) {
      accepting = socket
      ;(protocol === 'h2' ? h2 : plain).emit('connection', socket) // tells of the session before it returns
      accepting = undefined
      if (protocol === 'http1') process.nextTick(() => socket.resume())
    },
    [Symbol.dispose]() {
      plain.close()
      h2.close()
    },
  }
}

/** The answer to bytes that are no HTTP request, in Google's form of an error. */
function badRequest(code: string | undefined): string {
  const isTooLarge = code === 'HPE_HEADER_OVERFLOW'
  const message = isTooLarge ? 'The head of the request is too large.' : 'The request is malformed.'
  const body = JSON.stringify({ error: { code: 400, message, status: 'INVALID_ARGUMENT' } })
  const fields = ['Connection: close', 'Content-Type: application/json; charset=UTF-8', `Content-Length: ${body.length}`]
  return `HTTP/1.1 400 Bad Request\r\n${fields.join('\r\n')}\r\n\r\n${body}`
}
