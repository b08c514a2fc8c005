import type { IncomingHttpHeaders } from 'node:http'

/** Headers that browsers add by themselves and pages cannot take away. `sec-fetch-mode` is not among them: fetch of Node sends it too. */
const marks = ['origin', 'sec-fetch-site', 'sec-fetch-dest', 'sec-fetch-user']

/**
 * Whether a browser sends a request: for a page, or for whoever types its address. Safari marks plain requests to loopback by its name alone.
 * Source: w3.org/TR/fetch-metadata, section 3.
 */
export function isPage(headers: IncomingHttpHeaders): boolean {
  return marks.some((mark) => headers[mark] !== undefined) || headers['user-agent']?.startsWith('Mozilla/') === true
}
