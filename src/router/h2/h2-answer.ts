import { httpDate } from '../forward-head.ts'
import type { OwnAnswer } from '../own-answer.ts'
import { grpcMessage, grpcStatusOf, pageWords } from './grpc-status.ts'

/** Its header block. A gRPC client gets trailers alone. */
export function h2Answer({ status, body, html = false, location, wwwAuthenticate }: OwnAnswer, asGrpc: boolean): string[] {
  const raw = [':status', asGrpc ? '200' : String(status)]
  if (location !== undefined) raw.push('location', location)
  if (wwwAuthenticate !== undefined) raw.push('www-authenticate', wwwAuthenticate)
  raw.push('date', httpDate(), 'server', 'Google Frontend')
  if (asGrpc) raw.push('content-type', 'application/grpc', ...grpcEnd(status, html ? pageWords(status) : body))
  else {
    const type = html ? 'text/html; charset=UTF-8' : 'text/plain; charset=utf-8'
    raw.push('content-type', type, 'content-length', String(Buffer.byteLength(body)), 'x-content-type-options', 'nosniff')
  }
  return raw
}

/** What ends a gRPC call when the instance does not. */
export function grpcEnd(status: number, text: string): string[] {
  return ['grpc-status', String(grpcStatusOf(status)), 'grpc-message', grpcMessage(text)]
}

/** For node:http2, whose trailers are no array. */
export function toHeaders(raw: readonly string[]): Record<string, string | string[]> {
  const headers = Object.create(null) as Record<string, string | string[]>
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const [name, value] = [raw[at] as string, raw[at + 1] as string]
    const known = headers[name]
    headers[name] = known === undefined ? value : [...(Array.isArray(known) ? known : [known]), value]
  }
  return headers
}
