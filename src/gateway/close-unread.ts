import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

const lingerMs = 3000
const closing = new WeakSet<Socket>()

/**
 * Ends a connection of HTTP/1.1 whose request is refused before its body was read, as Google's front end does. Otherwise the server would read the rest
 * of the body as the next request. The connection goes on taking bytes for a while: a client that is cut off while it sends would not read the
 * refusal. A stream of HTTP/2 needs none of this.
 * @returns false for a request that follows a refused one on its connection: such a request is not served
 */
export function closeUnread(request: IncomingMessage, response: ServerResponse): boolean {
  const { socket } = request
  if (closing.has(socket)) return false
  const writeHead = response.writeHead.bind(response) as (status: number, ...rest: unknown[]) => ServerResponse
  response.writeHead = (status: number, ...rest: unknown[]) => {
    if (status >= 400 && !request.complete && !closing.has(socket)) {
      closing.add(socket)
      response.shouldKeepAlive = false
      socket.destroySoon = () => linger(request, socket)
    }
    return writeHead(status, ...rest)
  }
  response.once('finish', () => drain(request))
  return true
}

/** Sends the rest of the answer and the end of this side, then waits for the end of the client's side. */
function linger(request: IncomingMessage, socket: Socket): void {
  const timer = setTimeout(() => socket.destroy(), lingerMs)
  socket.once('close', () => clearTimeout(timer)).end()
  request.once('end', () => socket.destroy())
  drain(request)
}

/** Reads and drops the part of a body that a handler left unread, also when the handler had begun to read. */
function drain(request: IncomingMessage): void {
  if (!request.readableEnded) request.removeAllListeners('readable').removeAllListeners('data').unpipe().resume()
}
