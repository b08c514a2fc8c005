import { escapeHtml } from '../base/escape-html.ts'
import { CloudError, codes } from '../base/cloud-error.ts'
import { HeadError } from './http-head.ts'
import type { OwnAnswer } from './own-answer.ts'

/** As a whole HTTP/1.1 message, after which the connection ends. @param isHead the request was HEAD: no body */
export function h1Answer({ status, body, html = false, location: to, wwwAuthenticate }: OwnAnswer, isHead = false): string {
  const type = html ? 'text/html; charset=UTF-8' : 'text/plain; charset=utf-8'
  const location = to === undefined ? '' : `Location: ${to}\r\n`
  const challenge = wwwAuthenticate === undefined ? '' : `WWW-Authenticate: ${wwwAuthenticate}\r\n`
  return (
    `HTTP/1.1 ${status} ${reasons[status] ?? 'Error'}\r\nContent-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${location}${challenge}` +
    `Date: ${new Date().toUTCString()}\r\nServer: Google Frontend\r\nX-Content-Type-Options: nosniff\r\n` +
    `Connection: close\r\n\r\n${isHead ? '' : body}`
  )
}

/** The page of a path that Google's front end keeps for itself, and of a host that nobody has (run trap 20). */
export function notFoundPage(target: string, known: readonly string[]): string {
  const hosts = known.length === 0 ? 'No service runs.' : `Services here: ${known.map(escapeHtml).join(', ')}.`
  return `<!DOCTYPE html><html lang=en><meta charset=utf-8><title>Error 404 (Not Found)!!1</title><p><b>404.</b> That's an error.<p>The requested URL <code>${escapeHtml(target)}</code> was not found on this server. <p>${hosts}\n`
}

/** What Google's front end shows of a failure that is the application's. */
function serverErrorPage(reason: string): string {
  return `<!DOCTYPE html><html lang=en><meta charset=utf-8><title>500 Server Error</title><h1>Error: Server Error</h1><h2>The server encountered an error and could not complete your request.</h2><p>${escapeHtml(reason)}\n`
}

/** Of a response of HTTP/1 that tells a length which Cloud Run does not carry. */
export function tooLargeResponse(): OwnAnswer {
  return { status: 500, body: serverErrorPage('The response is larger than 32 MiB: stream it in chunks.'), html: true }
}

/** Of a request with too much body. */
export function tooLargeRequest(): OwnAnswer {
  return { status: 413, body: tooLargePage, html: true }
}

const tooLargePage =
  '<!DOCTYPE html><html lang=en><meta charset=utf-8><title>Error 413 (Request Entity Too Large)!!1</title><p><b>413.</b> That&#39;s an error.<p>Your client issued a request that was too large: HTTP/1 carries 32 MiB. <p>Send it in parts, to a bucket, or by HTTP/2 end to end.\n'

export const words = {
  429: 'Rate exceeded.',
  500: 'The request failed because the instance could not start successfully.',
  503: 'The request failed because either the HTTP response was malformed or connection to the instance had an error.',
  504: 'upstream request timeout',
} as const

const reasons: Readonly<Record<number, string>> = {
  302: 'Found', 400: 'Bad Request', 401: 'Unauthorized', 403: 'Forbidden', 404: 'Not Found', 405: 'Method Not Allowed', 408: 'Request Timeout', 413: 'Content Too Large', 417: 'Expectation Failed', 421: 'Misdirected Request',
  429: 'Too Many Requests', 431: 'Request Header Fields Too Large', 500: 'Internal Server Error', 501: 'Not Implemented', 502: 'Bad Gateway',
  503: 'Service Unavailable', 504: 'Gateway Timeout', 505: 'HTTP Version Not Supported',
} // prettier-ignore

/** What a client reads whose request cannot be read. */
export function toRefusal(error: unknown): OwnAnswer {
  if (!(error instanceof HeadError)) return { status: 400, body: 'The request is malformed.' }
  return error.status === 413 ? tooLargeRequest() : { status: error.status, body: error.message }
}

/** What a client reads when no instance could be had. */
export function toAnswer(error: unknown): OwnAnswer {
  if (!(error instanceof CloudError)) return { status: 500, body: words[500] }
  if (error.code === 'RESOURCE_EXHAUSTED') return { status: 429, body: words[429] }
  if (error.fault === 'NO_INSTANCE') return { status: 500, body: error.message }
  if (error.code === 'DEADLINE_EXCEEDED' && error.fault === undefined) return { status: 504, body: words[504] }
  return { status: codes[error.code].http === 503 ? 503 : 500, body: words[500] }
}
