import { createHash } from 'node:crypto'

/**
 * The unique id of an account, 21 digits: `sub` and `azp` of its ID tokens, `uniqueId` of its resource. The id is the same on every machine.
 * @param incarnation how many accounts of this email were deleted before; an account that is made again has another id
 */
export function uniqueIdOf(email: string, incarnation = 0): string {
  const hash = createHash('sha256')
    .update(incarnation === 0 ? email : `${email}#${incarnation}`)
    .digest()
  const digits = ((hash.readBigUInt64BE(0) << 64n) | hash.readBigUInt64BE(8)) % 10n ** 20n
  return `1${digits.toString().padStart(20, '0')}`
}
