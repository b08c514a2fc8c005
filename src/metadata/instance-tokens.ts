import type { Clock } from '../base/clock.ts'
import type { AccessToken, Tokens } from './tokens.ts'

/** Access tokens as the metadata server gives them: the same one until five minutes before its end, while `expires_in` counts down. */
export interface InstanceTokens {
  get(email: string, scopes: readonly string[]): AccessToken & { readonly expiresInSeconds: number }
}

const renewBeforeMs = 300_000
/** As `accessToken` makes them. */
const lifetimeMs = 3_599_000
/** Scopes are the caller's to choose: it shall not fill our memory with them. */
const kept = 1000

export function openInstanceTokens(tokens: Tokens, clock: Clock): InstanceTokens {
  const known = new Map<string, AccessToken>()
  return {
    get(email, scopes) {
      const key = [email, ...scopes.toSorted()].join(' ')
      const old = known.get(key)
      const leftMs = old === undefined ? 0 : old.expiresMs - clock.nowMs()
      // One with more left than tokens live was made before the clock was set back: it would be told to live for that long.
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
