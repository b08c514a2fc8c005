import type { IncomingMessage } from 'node:http'
import type { OwnerCheck } from '../../../daemon/owner-check.ts'
import { onlyHost } from '../../../gateway/hosts.ts'

/** Why a request may not be passed on in the user's name. */
export interface ProxyRefusal {
  readonly status: 403 | 421
  readonly words: string
}

/**
 * Who may use the proxy: the user who started it, with any tool or a browser at the proxy's own address, and no page of another origin: that one
 * may follow a link here, as to any site, and no more.
 */
export async function refusalOf(request: IncomingMessage, ownerCheck: OwnerCheck): Promise<ProxyRefusal | undefined> {
  const host = onlyHost(request)
  if (host !== 'localhost' && host !== '127.0.0.1') return { status: 421, words: 'This proxy is asked as 127.0.0.1 or localhost.' }
  if (isForeignPage(request)) return { status: 403, words: 'A page of another origin may not ask in your name.' }
  if (await ownerCheck.isForeign(request.socket, request.socket))
    return { status: 403, words: 'Only the user who started this proxy may use it.' }
  return undefined
}

function isForeignPage({ headers, method }: IncomingMessage): boolean {
  const { origin } = headers
  if (origin !== undefined && origin !== `http://${headers.host}`) return true
  const site = headers['sec-fetch-site'] ?? 'none'
  const isLink = headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document' && method === 'GET'
  return site !== 'none' && site !== 'same-origin' && !isLink
}
