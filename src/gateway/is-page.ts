import type { IncomingHttpHeaders } from 'node:http'

/** Headers that browsers add and that pages cannot remove. `sec-fetch-mode` is not in the list, since Node's fetch sends that header too. */
const marks = ['origin', 'sec-fetch-site', 'sec-fetch-dest', 'sec-fetch-user']

/**
 * Whether a browser sends a request, for a page or for a person who types the address. Safari marks plain requests to loopback by its User-Agent alone.
 * Source: w3.org/TR/fetch-metadata, section 3.
 */
export function isPage(headers: IncomingHttpHeaders): boolean {
  return marks.some((mark) => headers[mark] !== undefined) || headers['user-agent']?.startsWith('Mozilla/') === true
}
