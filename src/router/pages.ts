import { escapeHtml } from '../base/escape-html.ts'
import { CloudError, codes } from '../base/cloud-error.ts'

/** Answers that the router makes itself, in Cloud Run's words where it has words. Bodies are whole HTTP/1.1 messages. */
export function ownAnswer(
  status: number,
  body: string,
  options: {
    readonly close: boolean
    readonly html?: boolean
    readonly location?: string
    readonly head?: boolean
    readonly wwwAuthenticate?: string | undefined
  },
): string {
  const type = options.html === true ? 'text/html; charset=UTF-8' : 'text/plain; charset=utf-8'
  const location = options.location === undefined ? '' : `Location: ${options.location}\r\n`
  const challenge = options.wwwAuthenticate === undefined ? '' : `WWW-Authenticate: ${options.wwwAuthenticate}\r\n`
  return (
    `HTTP/1.1 ${status} ${reasons[status] ?? 'Error'}\r\nContent-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${location}${challenge}` +
    `Date: ${new Date().toUTCString()}\r\nServer: Google Frontend\r\nX-Content-Type-Options: nosniff\r\n` +
    `${options.close ? 'Connection: close\r\n' : ''}\r\n${options.head === true ? '' : body}`
  )
}

/** The page of a path that Google's front end keeps for itself, and of a host that nobody has (run trap 20). */
export function notFoundPage(target: string, known: readonly string[]): string {
  const hosts = known.length === 0 ? 'No service runs.' : `Services here: ${known.map(escapeHtml).join(', ')}.`
  return `<!DOCTYPE html><html lang=en><meta charset=utf-8><title>Error 404 (Not Found)!!1</title><p><b>404.</b> That's an error.<p>The requested URL <code>${escapeHtml(target)}</code> was not found on this server. <p>${hosts}\n`
}

/** What Google's front end shows of a failure that is the application's. */
export function serverErrorPage(reason: string): string {
  return `<!DOCTYPE html><html lang=en><meta charset=utf-8><title>500 Server Error</title><h1>Error: Server Error</h1><h2>The server encountered an error and could not complete your request.</h2><p>${escapeHtml(reason)}\n`
}

/** What Google's front end shows of a request with too much body. */
export function tooLargePage(): string {
  return '<!DOCTYPE html><html lang=en><meta charset=utf-8><title>Error 413 (Request Entity Too Large)!!1</title><p><b>413.</b> That&#39;s an error.<p>Your client issued a request that was too large: HTTP/1 carries 32 MiB. <p>Send it in parts, to a bucket, or by HTTP/2 end to end.\n'
}

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

/** What a client reads when no instance could be had. */
export function toAnswer(error: unknown): [number, string] {
  if (!(error instanceof CloudError)) return [500, words[500]]
  if (error.code === 'RESOURCE_EXHAUSTED') return [429, words[429]]
  if (error.fault === 'NO_INSTANCE') return [500, error.message]
  if (error.code === 'DEADLINE_EXCEEDED' && error.fault === undefined) return [504, words[504]]
  return [codes[error.code].http === 503 ? 503 : 500, words[500]]
}
