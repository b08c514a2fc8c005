import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

const lingerMs = 3000
const closing = new WeakSet<Socket>()

/**
 * Sees to it that the next request of a connection is never looked for in the body of this one, and that what an answer left unread holds no later
 * request up. A refusal before the body was read ends the connection, as Google's front end does; bytes still come in for a while, since a client
 * that is cut off while it sends would not read why. Of HTTP/1.1; a stream of HTTP/2 stands alone.
 * @returns false for a request behind one whose answer ends the connection: it is not served
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

/** Sends what is left of the answer and the end of our side, then waits for the end of theirs. */
function linger(request: IncomingMessage, socket: Socket): void {
  const timer = setTimeout(() => socket.destroy(), lingerMs)
  socket.once('close', () => clearTimeout(timer)).end()
  request.once('end', () => socket.destroy())
  drain(request)
}

/** What a handler left of a body is passed over, also by one that began to read. */
function drain(request: IncomingMessage): void {
  if (!request.readableEnded) request.removeAllListeners('readable').removeAllListeners('data').unpipe().resume()
}
