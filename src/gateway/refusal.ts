import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Decision } from './decide-request.ts'

/** Sends a refusal in Google's form: google.rpc.Status in JSON, or trailers to a gRPC call. */
export function sendRefusal(request: IncomingMessage, response: ServerResponse, refusal: Extract<Decision, { kind: 'refuse' }>): void {
  const { http, status, grpc, message } = refusal
  if (request.headers['content-type']?.startsWith('application/grpc') === true) {
    response.writeHead(200, { 'content-type': 'application/grpc' })
    response.addTrailers({ 'grpc-status': String(grpc), 'grpc-message': message })
    response.end()
    return
  }
  const body = JSON.stringify({ error: { code: http, message, status } })
  response.writeHead(http, {
    'content-type': 'application/json; charset=UTF-8',
    'content-length': Buffer.byteLength(body),
    'x-content-type-options': 'nosniff',
  })
  response.end(request.method === 'HEAD' ? undefined : body)
}

/** Refuses a CONNECT to a host that is not Google's. Otherwise every caller of this port could reach what this machine reaches. */
export function refuseTunnel(socket: Duplex, host: string): void {
  const body = `devcloud's proxy leads to Google's names alone, not to ${host}. To let this shell pass: eval "$(devcloud env --open)"\n`
  const head = `HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n`
  socket.end(head + body)
}
