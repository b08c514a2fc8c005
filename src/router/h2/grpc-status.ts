import type { Field } from '../http-head.ts'

/** Whether a request is native gRPC, which HTTP/1.1 cannot carry: `application/grpc`, `application/grpc+proto`, but not `application/grpc-web`. */
export function isGrpc(fields: readonly Field[]): boolean {
  for (const { lower, value } of fields) if (lower === 'content-type') return /^application\/grpc(\+|;|$)/i.test(value)
  return false
}

/**
 * What a gRPC client reads when the router answers for the instance.
 * Source: gRPC's http-grpc-status-mapping.md, but for 429, 500 and 504, whose reason the router knows better than a status could tell.
 */
export function grpcStatusOf(httpStatus: number): number {
  return codes[httpStatus] ?? 2
}

const codes: Readonly<Record<number, number>> = {
  400: 13,
  401: 16,
  403: 7,
  404: 12,
  413: 8,
  421: 12,
  429: 8,
  431: 8,
  500: 14,
  502: 14,
  503: 14,
  504: 4,
}

/** Percent-encoded as grpc-message asks: printable ASCII but `%` stays. */
export function grpcMessage(text: string): string {
  return encodeURI(text.trim())
    .replaceAll(/%20/g, ' ')
    .replaceAll(/%(5B|5D|5E|60|7B|7C|7D|22|3C|3E|5C)/g, (code) => decodeURIComponent(code))
}

/** What a page of the front end says, for those who read no page. */
export function pageWords(httpStatus: number): string {
  if (httpStatus === 401) return 'The request was not authorized to invoke this service.'
  if (httpStatus === 403) return 'Your client does not have permission to get this URL from this server.'
  return httpStatus === 404 ? 'The requested URL was not found on this server.' : `HTTP status ${httpStatus}`
}
