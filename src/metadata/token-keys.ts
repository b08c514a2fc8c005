import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CloudError } from '../base/cloud-error.ts'
import { writeWhole } from '../base/write-whole.ts'
import { makeSigningKey, type SigningKey } from './signing-key.ts'

/** The secrets behind every token that devcloud gives out. */
export interface TokenKeys {
  /** The AES key of access and refresh tokens, 32 bytes. */
  readonly seal: Uint8Array
  /** Signs ID tokens, as accounts.google.com does. */
  readonly signing: SigningKey
}

/** The certificate begins in 1970, so that it is valid after any step of the clock back, and lasts twenty years: only processes of this machine trust the key. */
const lifeMs = 20 * 365 * 86_400_000

/** Reads `tokens.json` (0600) of the state directory, or makes the file. @throws CloudError STATE_UNUSABLE for a file of another form */
export async function loadTokenKeys(directory: string, nowMs: number): Promise<TokenKeys> {
  const path = join(directory, 'tokens.json')
  if (existsSync(path)) return readKeys(path)
  const span = { notBefore: new Date(0), notAfter: new Date(nowMs + lifeMs) }
  const keys = { seal: randomBytes(32), signing: await makeSigningKey('accounts.google.com (devcloud)', span) }
  writeWhole(path, JSON.stringify({ seal: keys.seal.toString('base64'), signing: keys.signing }), 0o600)
  return keys
}

function readKeys(path: string): TokenKeys {
  try {
    const value = JSON.parse(readFileSync(path, 'utf8')) as { seal: string; signing: SigningKey }
    const seal = Buffer.from(value.seal, 'base64')
    const { id, privateKey, certificate } = value.signing
    if (seal.length !== 32 || [id, privateKey, certificate].some((text) => typeof text !== 'string'))
      throw new TypeError('a part is missing')
    return { seal, signing: { id, privateKey, certificate } }
  } catch (error) {
    throw new CloudError('FAILED_PRECONDITION', `${path} does not hold the keys of tokens.`, `Delete ${path}: new keys are made then.`, {
      cause: error,
      fault: 'STATE_UNUSABLE',
    })
  }
}
