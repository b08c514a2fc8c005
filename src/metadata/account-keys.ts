import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto'
import type { Clock } from '../base/clock.ts'
import { jsonKind } from '../state/resource-kind.ts'
import { openResources } from '../state/resources.ts'
import type { State } from '../state/state.ts'
import { makeSigningKey } from './signing-key.ts'

/** A key of a service account. The private half of a user's key is given out once and kept nowhere. */
export interface AccountKey {
  readonly id: string
  readonly email: string
  /** `user` for key files, `system` for the one that signBlob and signJwt use. */
  readonly kind: 'user' | 'system'
  /** PEM. */
  readonly certificate: string
  readonly disabled: boolean
  readonly validAfterMs: number
  readonly validBeforeMs: number
}

export interface AccountKeys {
  list(email: string): readonly AccountKey[]
  get(email: string, id: string): AccountKey | undefined
  /** Makes a user's key. Gives its private half as PEM of PKCS #8. */
  make(email: string): Promise<{ readonly key: AccountKey; readonly privateKey: string }>
  /** Inserts or replaces. */
  put(key: AccountKey): Promise<void>
  delete(email: string, id: string): Promise<boolean>
  deleteAll(email: string): Promise<void>
  /** The key that Google would hold for the account. It is made when somebody first asks for it. */
  system(email: string): Promise<{ readonly id: string; readonly privateKey: KeyObject }>
  /** The public keys that verify a signature: key `id`, or every key of the account when a JWT names none. Keys that are disabled or expired are left out. */
  verifiers(email: string, id?: string): readonly KeyObject[]
}

interface Row extends AccountKey {
  /** The private half. Present for system keys alone. */
  readonly privateKey?: string
}

export const accountKeyKind = jsonKind<Row>('iam.key', ({ email, id }) => `${email}/${id}`)

/** 9999-12-31T23:59:59Z: the end that Google answers for a key without an end. */
const endOfTimeMs = 253_402_300_799_000

/** The keys of service accounts, by email. Tokens are read with these keys, and the product iam manages them. */
export function openAccountKeys(state: State, clock: Clock): AccountKeys {
  const rows = openResources(state, accountKeyKind)
  const publicKeyOf = rememberPublicKeys()
  const making = new Map<string, Promise<Row>>()
  const make = async (email: string, kind: AccountKey['kind']) => {
    const validAfterMs = Math.floor(clock.nowMs() / 1000) * 1000
    const made = await makeSigningKey(email, { notBefore: new Date(0), notAfter: new Date(endOfTimeMs) })
    const { id, certificate } = made
    const key: AccountKey = { id, email, kind, certificate, disabled: false, validAfterMs, validBeforeMs: endOfTimeMs }
    const row: Row = { ...key, ...(kind === 'system' && { privateKey: made.privateKey }) }
    await rows.put(row)
    return { row, privateKey: made.privateKey }
  }
  return {
    list: (email) => rows.list(email).map(toKey),
    get(email, id) {
      const row = rows.find(`${email}/${id}`)
      return row === undefined ? undefined : toKey(row)
    },
    async make(email) {
      const { row, privateKey } = await make(email, 'user')
      return { key: toKey(row), privateKey }
    },
    put: async (key) => void (await rows.put({ ...rows.find(`${key.email}/${key.id}`), ...key })),
    delete: (email, id) => rows.delete(`${email}/${id}`),
    deleteAll: (email) => rows.deleteBelow(email),
    async system(email) {
      const known = rows.list(email).find(({ kind }) => kind === 'system')
      let pending = making.get(email)
      if (known === undefined && pending === undefined) {
        pending = make(email, 'system')
          .then(({ row }) => row)
          .finally(() => making.delete(email))
        making.set(email, pending)
      }
      const row = known ?? (await pending)
      if (row?.privateKey === undefined) throw new TypeError(`the system key of ${email} has no private half`)
      return { id: row.id, privateKey: createPrivateKey(row.privateKey) }
    },
    verifiers(email, id) {
      const nowMs = clock.nowMs()
      const found = id === undefined ? rows.list(email) : [rows.find(`${email}/${id}`)].filter((row) => row !== undefined)
      return found.filter((row) => !row.disabled && row.validBeforeMs > nowMs).map(publicKeyOf)
    },
  }
}

function toKey({ privateKey: _kept, ...key }: Row): AccountKey {
  return key
}

/** Reads certificates and remembers them: to read a certificate takes longer than to verify with it. */
function rememberPublicKeys(): (key: AccountKey) => KeyObject {
  const publicKeys = new Map<string, KeyObject>()
  return ({ certificate }) => {
    const known = publicKeys.get(certificate)
    if (known !== undefined) return known
    const { publicKey } = new X509Certificate(certificate)
    if (publicKeys.size > 1000) publicKeys.clear()
    publicKeys.set(certificate, publicKey)
    return publicKey
  }
}
