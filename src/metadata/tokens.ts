import { createHash, X509Certificate } from 'node:crypto'
import { exportJWK, importPKCS8, SignJWT, type JSONWebKeySet } from 'jose'
import type { Clock } from '../base/clock.ts'
import { openCollection } from '../state/collection.ts'
import type { State } from '../state/state.ts'
import { openAccountKeys, type AccountKeys } from './account-keys.ts'
import { readAssertion } from './assertion.ts'
import { readIdToken, type IdToken } from './id-token.ts'
import { openIncarnations } from './incarnations.ts'
import { seal, unseal, type SealedToken } from './sealed.ts'
import { loadTokenKeys } from './token-keys.ts'
import { uniqueIdOf } from './unique-id.ts'

/** Makes and reads the credentials of service accounts and of the person at this machine. Credentials outlive a restart: their keys are in the state. */
export interface Tokens {
  /** The keys of service accounts. A JWT that such a key signed is a token too. */
  readonly accountKeys: AccountKeys
  /** Makes a bearer token `ya29.…`. @param scopes default cloud-platform @param lifetimeSeconds default 3599, as Google's metadata server gives */
  accessToken(email: string, scopes?: readonly string[], lifetimeSeconds?: number): AccessToken
  /** Makes a refresh token `1//…`, which never expires. */
  refreshToken(email: string, scopes?: readonly string[]): string
  /** Makes an OpenID Connect token, RS256, valid for an hour. */
  idToken(email: string, audience: string, extra?: IdTokenExtra): Promise<string>
  /** The claims of an ID token. Undefined unless the token is of this machine, valid now, has an email, and its account is not suspended. */
  readIdToken(token: string): IdToken | undefined
  /** The owner of a token, also of a JWT that a service account's own key signed. Undefined for a token that is expired, revoked or not of this machine. */
  read(token: string): { readonly email: string } | undefined
  /** The whole content of an access token or a refresh token. Undefined as in `read`. */
  inspect(token: string): InspectedToken | undefined
  /** Revokes a token. Durable when resolved. Gives false for a token that is not of this machine. */
  revoke(token: string): Promise<boolean>
  /** Suspends an account that is disabled or deleted, or ends its suspension. No token of a suspended account is valid. Durable when resolved. */
  suspend(email: string, isSuspended: boolean): Promise<void>
  isSuspended(email: string): boolean
  /** The unique id, 21 digits, of the account that has this email now. */
  uniqueId(email: string): string
  /** Ends the present account of an email: its tokens are invalid for good, and the next account of the email has another unique id. Durable when resolved. */
  retire(email: string): Promise<void>
  /** The public keys of ID tokens, as /oauth2/v3/certs answers them. */
  jwks(): JSONWebKeySet
  /** The same keys as certificates by key id, as /oauth2/v1/certs answers them. */
  certs(): Readonly<Record<string, string>>
}

export interface AccessToken {
  readonly token: string
  readonly expiresMs: number
}

interface InspectedToken {
  readonly kind: 'access' | 'refresh'
  readonly email: string
  readonly scopes: readonly string[]
  /** The end of the token. Absent for a refresh token. */
  readonly expiresMs?: number
}

interface IdTokenExtra {
  /** Claims of `format=full`: where the caller runs. */
  readonly full?: { readonly projectId: string; readonly projectNumber: string; readonly zone: string; readonly instanceId: string }
  /** Whether email and email_verified are left out: generateIdToken without includeEmail. */
  readonly withoutEmail?: boolean
  /** Whether `azp` is the email instead of the unique id: generateIdToken with useEmailAzp. */
  readonly emailAsAzp?: boolean
}

export const cloudPlatform = 'https://www.googleapis.com/auth/cloud-platform'
export const idTokenIssuer = 'https://accounts.google.com'
const idTokenSeconds = 3600
const revokedKeptMs = 30 * 86_400_000
const prefixes = { access: 'ya29.', refresh: '1//' } as const

export async function openTokens({ state, clock }: { readonly state: State; readonly clock: Clock }): Promise<Tokens> {
  const keys = await loadTokenKeys(state.directory, clock.nowMs())
  const accountKeys = openAccountKeys(state, clock)
  const signingKey = await importPKCS8(keys.signing.privateKey, 'RS256')
  const { publicKey } = new X509Certificate(keys.signing.certificate)
  const publicJwk = await exportJWK(publicKey)
  const revoked = await openRevoked(state, clock)
  const suspended = openSuspended(state)
  const incarnations = openIncarnations(state)
  const uniqueId = (email: string) => uniqueIdOf(email, incarnations.of(email))
  const sealOf = (kind: keyof typeof prefixes, token: Omit<SealedToken, 'k' | 'n'>) => {
    const n = incarnations.of(token.e)
    return prefixes[kind] + seal(keys.seal, { k: kind, ...token, ...(n > 0 && { n }) })
  }

  const inspect = (token: string): InspectedToken | undefined => {
    const kind = token.startsWith(prefixes.access) ? 'access' : token.startsWith(prefixes.refresh) ? 'refresh' : undefined
    if (kind === undefined) return undefined
    const sealed = unseal(keys.seal, token.slice(prefixes[kind].length))
    if (sealed?.k !== kind || (sealed.x ?? Infinity) <= clock.nowMs() || revoked.has(token) || suspended.has(sealed.e)) return undefined
    if ((sealed.n ?? 0) !== incarnations.of(sealed.e)) return undefined
    return { kind, email: sealed.e, scopes: sealed.s, ...(sealed.x !== undefined && { expiresMs: sealed.x }) }
  }
  return {
    accountKeys,
    accessToken(email, scopes = [cloudPlatform], lifetimeSeconds = 3599) {
      const expiresMs = clock.nowMs() + lifetimeSeconds * 1000
      return { token: sealOf('access', { e: email, x: expiresMs, s: scopes }), expiresMs }
    },
    refreshToken: (email, scopes = [cloudPlatform]) => sealOf('refresh', { e: email, s: scopes }),
    async idToken(email, audience, extra = {}) {
      const id = uniqueId(email)
      const now = Math.floor(clock.nowMs() / 1000)
      const azp = extra.emailAsAzp === true ? email : id
      const claims = { azp, ...(extra.withoutEmail !== true && { email, email_verified: true }), ...fullClaims(extra.full) }
      return await new SignJWT(claims)
        .setProtectedHeader({ alg: 'RS256', kid: keys.signing.id, typ: 'JWT' })
        .setIssuer(idTokenIssuer)
        .setAudience(audience)
        .setSubject(id)
        .setIssuedAt(now)
        .setExpirationTime(now + idTokenSeconds)
        .sign(signingKey)
    },
    readIdToken(token) {
      const read = readIdToken(token, { id: keys.signing.id, publicKey, issuer: idTokenIssuer }, clock.nowMs())
      return read === undefined || suspended.has(read.email) || read.subject !== uniqueId(read.email) ? undefined : read
    },
    read(token) {
      const inspected = inspect(token)
      if (inspected !== undefined) return inspected.kind === 'access' ? { email: inspected.email } : undefined
      const assertion = readAssertion(token, accountKeys, clock.nowMs())
      return assertion === undefined || suspended.has(assertion.email) ? undefined : { email: assertion.email }
    },
    inspect,
    async revoke(token) {
      const inspected = inspect(token)
      if (inspected !== undefined) await revoked.add(token, inspected.expiresMs)
      return inspected !== undefined
    },
    suspend: suspended.set,
    isSuspended: suspended.has,
    uniqueId,
    retire: incarnations.advance,
    jwks: () => ({ keys: [{ ...publicJwk, kid: keys.signing.id, use: 'sig', alg: 'RS256' }] }),
    certs: () => ({ [keys.signing.id]: keys.signing.certificate }),
  }
}

/** Source: cloud.google.com/compute/docs/instances/verifying-instance-identity, "Token payload". */
function fullClaims(full: IdTokenExtra['full']) {
  if (full === undefined) return {}
  const { projectId, projectNumber, zone, instanceId } = full
  return {
    google: { compute_engine: { project_id: projectId, project_number: Number(projectNumber), zone, instance_id: instanceId } },
  }
}

/** Revoked tokens, by hash. A row stays until long after the token's end, so that no step of the clock back makes the token valid again. */
async function openRevoked(state: State, clock: Clock) {
  const rows = openCollection(state, 'token.revoked')
  const hashes = new Set<string>()
  const hash = (token: string) => createHash('sha256').update(token).digest('base64url')
  for (const { name, value } of rows.list('')) {
    if (value !== '' && Number(value) + revokedKeptMs <= clock.nowMs()) await rows.delete(name)
    else hashes.add(name)
  }
  return {
    has: (token: string) => hashes.size > 0 && hashes.has(hash(token)),
    async add(token: string, expiresMs: number | undefined) {
      hashes.add(hash(token))
      await rows.put(hash(token), expiresMs === undefined ? '' : String(expiresMs))
    },
  }
}

function openSuspended(state: State) {
  const rows = openCollection(state, 'token.suspended')
  const emails = new Set(rows.list('').map(({ name }) => name))
  return {
    has: (email: string) => emails.has(email),
    async set(email: string, isSuspended: boolean) {
      if (isSuspended) {
        emails.add(email)
        await rows.put(email, '')
      } else if (emails.delete(email)) await rows.delete(email)
    },
  }
}
