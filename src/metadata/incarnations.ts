import { createHash } from 'node:crypto'
import { openCollection } from '../state/collection.ts'
import type { State } from '../state/state.ts'

/** Counts the accounts that one email has had: 0 until the first account is deleted. Tokens of a deleted account stay invalid when the account is made again. */
export interface Incarnations {
  of(email: string): number
  /** Durable when resolved. */
  advance(email: string): Promise<void>
}

/** The rows outlive a project that is cleaned, since somebody may still have its tokens. A row holds a hash of the email, never the email. */
export function openIncarnations(state: State): Incarnations {
  const rows = openCollection(state, 'iam.incarnation')
  const known = new Map(rows.list('').map(({ name, value }) => [name, Number(value)]))
  const keyOf = (email: string) => createHash('sha256').update(email).digest('base64url')
  const of = (email: string) => (known.size === 0 ? 0 : (known.get(keyOf(email)) ?? 0))
  return {
    of,
    async advance(email) {
      const next = of(email) + 1
      known.set(keyOf(email), next)
      await rows.put(keyOf(email), String(next))
    },
  }
}
