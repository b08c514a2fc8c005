import type { ServerResponse } from 'node:http'

/**
 * Makes `response` send `grpc-message` as the gRPC specification says: only `%` and bytes outside printable ASCII are escaped.
 * connect escapes more (slashes, brackets), which grpc-js then shows to people as `%2F`.
 * Source: grpc/doc/PROTOCOL-HTTP2.md, "Status-Message".
 */
export function plainGrpcMessage(response: ServerResponse): void {
  const { addTrailers, writeHead } = response
  response.addTrailers = (headers) => addTrailers.call(response, rewrite(headers as Headers) as never)
  response.writeHead = ((status: number, ...rest: unknown[]) =>
    (writeHead as (...all: unknown[]) => ServerResponse).call(
      response,
      status,
      ...rest.map((part) => (isHeaders(part) ? rewrite(part) : part)),
    )) as ServerResponse['writeHead']
}

type Headers = Record<string, unknown>

function rewrite(headers: Headers): Headers {
  const message = headers['grpc-message']
  return typeof message === 'string' ? { ...headers, 'grpc-message': escapeMessage(decodeURIComponent(message)) } : headers
}

/** Exported for its test. */
export function escapeMessage(text: string): string {
  return [...Buffer.from(text, 'utf8')]
    .map((byte) =>
      byte >= 0x20 && byte <= 0x7e && byte !== 0x25 ? String.fromCodePoint(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
    )
    .join('')
}

function isHeaders(part: unknown): part is Headers {
  return typeof part === 'object' && part !== null && !Array.isArray(part)
}
