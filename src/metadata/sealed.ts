import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

/**
 * The content of a token: `k` its kind, `e` the account's email, `x` its end in ms since 1970 (absent: no end), `s` its scopes, `n` the number of the
 * account with this email (absent: the first account).
 */
export interface SealedToken {
  readonly k: 'access' | 'refresh'
  readonly e: string
  readonly x?: number
  readonly s: readonly string[]
  readonly n?: number
}

const nonceBytes = 12
const tagBytes = 16

/** Encrypts a token with AES-256-GCM, as base64url. Without the key nobody can read or make such a text. @param key 32 bytes */
export function seal(key: Uint8Array, token: SealedToken): string {
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  const body = Buffer.concat([cipher.update(JSON.stringify(token), 'utf8'), cipher.final()])
  return Buffer.concat([nonce, body, cipher.getAuthTag()]).toString('base64url')
}

/** Decrypts what `seal` made. @returns undefined for text that this key did not seal */
export function unseal(key: Uint8Array, text: string): SealedToken | undefined {
  const bytes = Buffer.from(text, 'base64url')
  if (bytes.length <= nonceBytes + tagBytes) return undefined
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes })
  decipher.setAuthTag(bytes.subarray(-tagBytes))
  try {
    const text = decipher.update(bytes.subarray(nonceBytes, -tagBytes), undefined, 'utf8') + decipher.final('utf8')
    return JSON.parse(text) as SealedToken
  } catch {
    return undefined
  }
}
