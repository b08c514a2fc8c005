import { verify, type KeyObject } from 'node:crypto'
import { readJwtPart } from './jwt-part.ts'

/** The claims of an ID token of this machine. */
export interface IdToken {
  readonly email: string
  /** The account's unique id. */
  readonly subject: string
  readonly audience: string
  readonly expiresMs: number
}

/** The clock of a virtual machine may be five minutes ahead. */
const skewSeconds = 300

/**
 * Reads an ID token that `signing` signed as accounts.google.com does. Only RS256 counts, whatever the token's header says (S12). Synchronous, since
 * the router calls this with each request: 50 us with node:crypto.
 * @returns undefined for a token that is expired, of another issuer, or not signed by `signing`
 */
export function readIdToken(
  token: string,
  signing: { readonly id: string; readonly publicKey: KeyObject; readonly issuer: string },
  nowMs: number,
): IdToken | undefined {
  const [head = '', body = '', signature = '', ...rest] = token.split('.')
  if (signature === '' || rest.length > 0 || token.length > 16_384) return undefined
  const header = readJwtPart(head)
  if (header?.['alg'] !== 'RS256' || header['kid'] !== signing.id) return undefined
  const { iss, aud, exp, iat, email, sub } = readJwtPart(body) ?? {}
  if (iss !== signing.issuer || typeof aud !== 'string' || typeof email !== 'string' || typeof exp !== 'number') return undefined
  const now = nowMs / 1000
  if (exp <= now || (typeof iat === 'number' && iat > now + skewSeconds)) return undefined
  if (!verify('sha256', Buffer.from(`${head}.${body}`), signing.publicKey, Buffer.from(signature, 'base64url'))) return undefined
  return { email, subject: String(sub), audience: aud, expiresMs: exp * 1000 }
}
