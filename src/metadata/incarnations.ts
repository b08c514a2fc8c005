import { createHash } from 'node:crypto'
import { openCollection } from '../state/collection.ts'
import type { State } from '../state/state.ts'

/** Which account of an email is meant: 0 until the first one is deleted. Tokens of the one before are over when it is made again. */
export interface Incarnations {
  of(email: string): number
  /** Durable when resolved. */
  advance(email: string): Promise<void>
}

/** Rows outlive a project that is cleaned, whose tokens may be about still: they hold a hash, and no name of it. */
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
