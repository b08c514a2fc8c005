import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Decision } from './decide-request.ts'

/** Answers a refusal as Google words one: google.rpc.Status in JSON, or gRPC's trailers to a gRPC call. */
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
