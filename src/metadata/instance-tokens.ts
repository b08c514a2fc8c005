import type { Clock } from '../base/clock.ts'
import type { AccessToken, Tokens } from './tokens.ts'

/** Access tokens as the metadata server gives them: the same one until five minutes before its end, while `expires_in` counts down. */
export interface InstanceTokens {
  get(email: string, scopes: readonly string[]): AccessToken & { readonly expiresInSeconds: number }
}

const renewBeforeMs = 300_000
/** Scopes are the caller's to choose: it shall not fill our memory with them. */
const kept = 1000

export function openInstanceTokens(tokens: Tokens, clock: Clock): InstanceTokens {
  const known = new Map<string, AccessToken>()
  return {
    get(email, scopes) {
      const key = [email, ...scopes.toSorted()].join(' ')
      const old = known.get(key)
      const isFresh = old !== undefined && old.expiresMs - clock.nowMs() >= renewBeforeMs && tokens.read(old.token) !== undefined
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
