import { createHash, verify, type KeyObject } from 'node:crypto'
import type { Caller } from '../../../api/caller.ts'
import { CloudError } from '../../../base/cloud-error.ts'
import { invalid, unimplemented } from '../names.ts'

/** Source: cloud.google.com/storage/docs/access-control/signed-urls. */
const longestS = 7 * 24 * 3600

/** What of a request is signed. */
export interface SignedRequest {
  readonly method: string
  /** As it came, percent-encoded. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** Those by which clients know this server: a browser is led from one to another, and the signature stays. */
  readonly hosts: readonly string[]
  /** Undefined at the root of the service. */
  readonly bucket: string | undefined
  /** Whether the bucket stands in front of the host. */
  readonly isVirtualHost: boolean
}

/** Public keys of a service account; none for an account that is none of this machine's. */
export type SigningKeys = (email: string) => readonly KeyObject[]

export interface Signer extends Caller {
  /** False for an account that this machine does not know: its signature proves nothing here. */
  readonly isKnown: boolean
}

/**
 * Who signed the URL: V4 (X-Goog-Signature) or V2 (Signature); undefined for one that is not signed. Names are told apart in any case (storage
 * trap 28). A step of the clock moves a URL's end with it.
 * @throws CloudError EXPIRED_TOKEN; SIGNATURE; INVALID_ARGUMENT when a part is missing or malformed
 */
export function signerOf(request: SignedRequest, keysOf: SigningKeys, nowMs: number): Signer | undefined {
  const parts = new Map([...request.query].map(([name, value]) => [name.toLowerCase(), value]))
  const claim = parts.has('x-goog-signature') ? readV4(parts, request) : parts.has('signature') ? readV2(parts, request) : undefined
  if (claim === undefined) return undefined
  if (nowMs >= claim.untilMs) throw expired(claim.untilMs)
  const keys = keysOf(claim.email)
  if (keys.length === 0) return { email: claim.email, isKnown: false }
  const isSigned = keys.some((key) => claim.texts.some((text) => verify('sha256', Buffer.from(text), key, claim.signature)))
  if (!isSigned) throw wrongSignature(claim.texts[0] ?? '')
  return { email: claim.email, isKnown: true }
}

interface Claim {
  readonly email: string
  readonly signature: Buffer
  /** Milliseconds since 1970. */
  readonly untilMs: number
  /** What may have been signed, a text for each host. */
  readonly texts: readonly string[]
}

/** `X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Credential=a@b/20260101/auto/storage/goog4_request&X-Goog-Date=20260101T000000Z&X-Goog-Expires=900...` */
function readV4(parts: ReadonlyMap<string, string>, request: SignedRequest): Claim {
  const get = (name: string, pattern: RegExp) => {
    const match = pattern.exec(parts.get(name) ?? '')
    if (match === null) throw invalid(`Missing or malformed query parameter: ${name}`, 'Sign the URL again.')
    return match
  }
  const [algorithm, kind] = get('x-goog-algorithm', /^GOOG4-(RSA|HMAC)-SHA256$/)
  if (kind === 'HMAC') throw unimplemented('signatures by HMAC keys (GOOG4-HMAC-SHA256)')
  const [, email = '', scope = ''] = get('x-goog-credential', /^([^/]+)\/(\d{8}\/[^/]+\/storage\/goog4_request)$/)
  const [names] = get('x-goog-signedheaders', /^(?=.*(^|;)host(;|$))[a-z0-9!#$%&'*+.^_`|~;-]+$/i)
  const [signature] = get('x-goog-signature', /^([0-9a-f]{2})+$/i)
  const [date, year, month, day, hours, minutes, seconds] = get('x-goog-date', /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/)
  const lifeS = Number(get('x-goog-expires', /^\d{1,9}$/)[0])
  if (lifeS < 1 || lifeS > longestS) throw invalid(`X-Goog-Expires must be from 1 to ${longestS}.`, 'Sign the URL for at most 7 days.')
  const untilMs = Date.parse(`${year}-${month}-${day}T${hours}:${minutes}:${seconds}Z`) + lifeS * 1000
  if (Number.isNaN(untilMs)) throw invalid('Missing or malformed query parameter: x-goog-date', 'Sign the URL again.')
  const texts = canonicalRequests(request, names.toLowerCase().split(';')).map(
    (canonical) => `${algorithm}\n${date}\n${scope}\n${createHash('sha256').update(canonical).digest('hex')}`,
  )
  return { email, signature: Buffer.from(signature, 'hex'), untilMs, texts }
}

/** Source: cloud.google.com/storage/docs/authentication/canonical-requests. @throws CloudError MALFORMED_HEADER when a signed header was not sent */
function canonicalRequests({ method, path, query, headers, hosts }: SignedRequest, names: readonly string[]): readonly string[] {
  const pairs = [...query]
    .filter(([name]) => name.toLowerCase() !== 'x-goog-signature')
    .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
    .toSorted()
  const lineOf = (name: string, host: string) => {
    const sent = name === 'host' ? host : [headers[name] ?? []].flat().join(',')
    if (name !== 'host' && headers[name] === undefined) throw missingHeader(name)
    return `${name}:${sent.trim().replaceAll(/\s+/g, ' ')}\n`
  }
  const digest = headers['x-goog-content-sha256'] ?? 'UNSIGNED-PAYLOAD'
  return hosts.map(
    (host) =>
      `${method}\n${path}\n${pairs.join('&')}\n${names.map((name) => lineOf(name, host)).join('')}\n${names.join(';')}\n${String(digest)}`,
  )
}

/** `GoogleAccessId=a@b&Expires=1767225600&Signature=...` Source: cloud.google.com/storage/docs/access-control/signed-urls-v2. */
function readV2(parts: ReadonlyMap<string, string>, { method, path, headers, bucket, isVirtualHost }: SignedRequest): Claim {
  const expires = parts.get('expires') ?? ''
  const email = parts.get('googleaccessid')
  const signature = (parts.get('signature') ?? '').replaceAll(' ', '+') // a plus sign that was not encoded
  if (email === undefined || !/^[\w+/-]+=*$/.test(signature) || !/^\d{1,12}$/.test(expires))
    throw invalid('Missing or malformed GoogleAccessId, Expires or Signature.', 'Sign the URL again.')
  const one = (name: string) => [headers[name] ?? []].flat().join(',')
  const extensions = Object.keys(headers)
    .filter((name) => name.startsWith('x-goog-') && !name.startsWith('x-goog-encryption-'))
    .toSorted()
    .map((name) => `${name}:${one(name).trim().replaceAll(/\s+/g, ' ')}\n`)
  const resource = isVirtualHost ? `/${bucket ?? ''}${path}` : path
  const text = `${method}\n${one('content-md5')}\n${one('content-type')}\n${expires}\n${extensions.join('')}${resource}`
  return { email, signature: Buffer.from(signature, 'base64'), untilMs: Number(expires) * 1000, texts: [text] }
}

/** As RFC 3986 leaves nothing unencoded but its unreserved characters. */
function encoded(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
}

function expired(untilMs: number): CloudError {
  const words = `Request signature expired at: ${new Date(untilMs).toISOString()}`
  return new CloudError('INVALID_ARGUMENT', words, 'Sign the URL again.', { fault: 'EXPIRED_TOKEN' })
}

function wrongSignature(text: string): CloudError {
  const words = `The request signature we calculated does not match the signature you provided. What was to be signed: ${text}`
  return new CloudError('PERMISSION_DENIED', words, 'Sign the method, host, headers and path that are sent.', { fault: 'SIGNATURE' })
}

export function unknownSigner(email: string): CloudError {
  const words = `The URL is signed by ${email}, of which this machine has no key.`
  return new CloudError('PERMISSION_DENIED', words, 'Sign it with a service account of this machine: eval "$(devcloud env)".', {
    fault: 'SIGNATURE',
  })
}

function missingHeader(name: string): CloudError {
  const words = `Header was included in signedheaders, but not in the request: ${name}`
  return new CloudError('INVALID_ARGUMENT', words, `Send ${name} as it was signed.`, { fault: 'MALFORMED_HEADER' })
}
