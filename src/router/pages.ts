import { CloudError, codes } from '../base/cloud-error.ts'

/** Answers that the router makes itself, in Cloud Run's words where it has words. Bodies are whole HTTP/1.1 messages. */
export function ownAnswer(
  status: number,
  body: string,
  options: { readonly close: boolean; readonly html?: boolean; readonly location?: string; readonly head?: boolean },
): string {
  const type = options.html === true ? 'text/html; charset=UTF-8' : 'text/plain; charset=utf-8'
  const location = options.location === undefined ? '' : `Location: ${options.location}\r\n`
  return (
    `HTTP/1.1 ${status} ${reasons[status] ?? 'Error'}\r\nContent-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${location}` +
    `Date: ${new Date().toUTCString()}\r\nServer: Google Frontend\r\nX-Content-Type-Options: nosniff\r\n` +
    `${options.close ? 'Connection: close\r\n' : ''}\r\n${options.head === true ? '' : body}`
  )
}

/** The page of a path that Google's front end keeps for itself, and of a host that nobody has (run trap 20). */
export function notFoundPage(target: string, known: readonly string[]): string {
  const hosts = known.length === 0 ? 'No service runs.' : `Services here: ${known.map(escapeHtml).join(', ')}.`
  return `<!DOCTYPE html><html lang=en><meta charset=utf-8><title>Error 404 (Not Found)!!1</title><p><b>404.</b> That's an error.<p>The requested URL <code>${escapeHtml(target)}</code> was not found on this server. <p>${hosts}\n`
}

export const words = {
  429: 'Rate exceeded.',
  500: 'The request failed because the instance could not start successfully.',
  503: 'The request failed because either the HTTP response was malformed or connection to the instance had an error.',
  504: 'upstream request timeout',
} as const

const reasons: Readonly<Record<number, string>> = {
  302: 'Found', 400: 'Bad Request', 404: 'Not Found', 405: 'Method Not Allowed', 408: 'Request Timeout', 413: 'Content Too Large', 421: 'Misdirected Request',
  429: 'Too Many Requests', 431: 'Request Header Fields Too Large', 500: 'Internal Server Error', 501: 'Not Implemented', 502: 'Bad Gateway',
  503: 'Service Unavailable', 504: 'Gateway Timeout', 505: 'HTTP Version Not Supported',
} // prettier-ignore

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (letter) => `&#${letter.codePointAt(0)};`)
}

/** What a client reads when no instance could be had. */
export function toAnswer(error: unknown): [number, string] {
  if (!(error instanceof CloudError)) return [500, words[500]]
  if (error.code === 'RESOURCE_EXHAUSTED') return [429, words[429]]
  if (error.code === 'DEADLINE_EXCEEDED' && error.fault === undefined) return [504, words[504]]
  return [codes[error.code].http === 503 ? 503 : 500, words[500]]
}
