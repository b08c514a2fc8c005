import { verify } from 'node:crypto'
import type { AccountKeys } from './account-keys.ts'
import { readJwtPart } from './jwt-part.ts'

/** The claims of a JWT that a service account signed with its own key. */
export interface Assertion {
  readonly email: string
  readonly claims: Readonly<Record<string, unknown>>
}

/** The longest life of a JWT: Google allows an hour, and the clock of a virtual machine may be five minutes ahead. */
const longestLifeSeconds = 3600
const skewSeconds = 300

/**
 * Reads a JWT that the holder of a key file made (google.dev/identity/protocols/oauth2/service-account, "Creating a JWT"), as a bearer token or
 * as the assertion of a grant. Synchronous, since each request reads a bearer token: 50 us with node:crypto.
 * @returns undefined unless a key in `keys` signed the JWT and the JWT is valid now
 */
export function readAssertion(token: string, keys: AccountKeys, nowMs: number): Assertion | undefined {
  const [head = '', body = '', signature = '', ...rest] = token.split('.')
  if (signature === '' || rest.length > 0 || token.length > 16_384) return undefined
  const header = readJwtPart(head)
  const claims = readJwtPart(body)
  const email = claims?.['iss']
  const kid = header?.['kid']
  if (header?.['alg'] !== 'RS256' || typeof email !== 'string' || claims === undefined) return undefined
  if (kid !== undefined && typeof kid !== 'string') return undefined
  const { exp, iat } = claims
  const now = nowMs / 1000
  if (typeof exp !== 'number' || typeof iat !== 'number') return undefined
  if (exp <= now || iat > now + skewSeconds || exp - iat > longestLifeSeconds + skewSeconds) return undefined
  const signed = Buffer.from(`${head}.${body}`)
  const bytes = Buffer.from(signature, 'base64url')
  if (!keys.verifiers(email, kid).some((key) => verify('sha256', signed, key, bytes))) return undefined
  return { email, claims }
}
