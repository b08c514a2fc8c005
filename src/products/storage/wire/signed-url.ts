import { CloudError } from '../../../base/cloud-error.ts'
import { invalid } from '../names.ts'

/** Source: cloud.google.com/storage/docs/access-control/signed-urls. */
const longestS = 7 * 24 * 3600

/**
 * Whether the query signs the request: V4 (X-Goog-Signature) or V2 (Signature). Names are told apart in any case (storage trap 28).
 * The signature itself is not checked: devcloud has no public key of who signed. Pure.
 * @throws CloudError EXPIRED_TOKEN; INVALID_ARGUMENT when a part is missing or malformed
 */
export function isSigned(query: URLSearchParams, nowMs: number): boolean {
  const parts = new Map([...query].map(([name, value]) => [name.toLowerCase(), value]))
  if (parts.has('x-goog-signature')) checkTime(readV4(parts), nowMs)
  else if (parts.has('signature')) checkTime(readV2(parts), nowMs)
  else return false
  return true
}

interface Validity {
  /** Milliseconds since 1970. */
  readonly untilMs: number
}

/** `X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Credential=a@b/20260101/auto/storage/goog4_request&X-Goog-Date=20260101T000000Z&X-Goog-Expires=900...` */
function readV4(parts: ReadonlyMap<string, string>): Validity {
  const get = (name: string, pattern: RegExp) => {
    const match = pattern.exec(parts.get(name) ?? '')
    if (match === null) throw invalid(`Missing or malformed query parameter: ${name}`, 'Sign the URL again.')
    return match
  }
  get('x-goog-algorithm', /^GOOG4-(RSA|HMAC)-SHA256$/)
  get('x-goog-credential', /^[^/]+\/\d{8}\/[^/]+\/storage\/goog4_request$/)
  get('x-goog-signedheaders', /(^|;)host(;|$)/i)
  get('x-goog-signature', /^[0-9a-f]+$/i)
  const [, year, month, day, hours, minutes, seconds] = get('x-goog-date', /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/)
  const lifeS = Number(get('x-goog-expires', /^\d+$/)[0])
  if (lifeS < 1 || lifeS > longestS) throw invalid(`X-Goog-Expires must be from 1 to ${longestS}.`, 'Sign the URL for at most 7 days.')
  return { untilMs: Date.parse(`${year}-${month}-${day}T${hours}:${minutes}:${seconds}Z`) + lifeS * 1000 }
}

/** `GoogleAccessId=a@b&Expires=1767225600&Signature=...` */
function readV2(parts: ReadonlyMap<string, string>): Validity {
  const expires = parts.get('expires') ?? ''
  const isComplete = parts.get('googleaccessid') !== undefined && /^[\w+/ -]+=*$/.test(parts.get('signature') ?? '')
  if (!isComplete || !/^\d+$/.test(expires))
    throw invalid('Missing or malformed GoogleAccessId, Expires or Signature.', 'Sign the URL again.')
  return { untilMs: Number(expires) * 1000 }
}

function checkTime({ untilMs }: Validity, nowMs: number): void {
  if (nowMs < untilMs) return
  throw new CloudError('INVALID_ARGUMENT', `Request signature expired at: ${new Date(untilMs).toISOString()}`, 'Sign the URL again.', {
    fault: 'EXPIRED_TOKEN',
  })
}
