import type { Clock } from '../base/clock.ts'
import type { AccessToken, Tokens } from './tokens.ts'

/** Gives access tokens as the metadata server does: the same token until five minutes before its end, while `expires_in` counts down. */
export interface InstanceTokens {
  get(email: string, scopes: readonly string[]): AccessToken & { readonly expiresInSeconds: number }
}

const renewBeforeMs = 300_000
/** Makes a token, as `Tokens.accessToken` does. */
const lifetimeMs = 3_599_000
/** How many tokens are kept. The caller chooses the scopes, and must not fill the daemon's memory with them. */
const kept = 1000

export function openInstanceTokens(tokens: Tokens, clock: Clock): InstanceTokens {
  const known = new Map<string, AccessToken>()
  return {
    get(email, scopes) {
      const key = [email, ...scopes.toSorted()].join(' ')
      const old = known.get(key)
      const leftMs = old === undefined ? 0 : old.expiresMs - clock.nowMs()
      // A token with more time left than a token's whole life was made before the clock was set back, and its `expires_in` would be too long.
      const isFresh = old !== undefined && leftMs >= renewBeforeMs && leftMs <= lifetimeMs && tokens.read(old.token) !== undefined
      const token = isFresh ? old : tokens.accessToken(email, scopes)
      if (!isFresh) {
        known.delete(key)
        known.set(key, token)
        const oldest = known.keys().next().value
        if (known.size > kept && oldest !== undefined) known.delete(oldest)
      }
      return { ...token, expiresInSeconds: Math.floor((token.expiresMs - clock.nowMs()) / 1000) }
    },
  }
}
