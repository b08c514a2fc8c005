import { CloudError } from '../base/cloud-error.ts'
import { readGlobTokens, type GlobToken } from './glob-tokens.ts'

/** The longest pattern: as long as the longest name. */
const patternLimitBytes = 1024
/** For how many characters a pattern remembers which of its tokens match. */
const rememberedChars = 1024

/**
 * A matcher for the listing parameter matchGlob: `*` and `?` stop at a slash, `**` does not; `[a-z]`, `[!a-z]`, `{a,b}`, backslash escapes.
 * Time is linear in the name, whatever the pattern: one bit for each token says whether the name so far can end there (Shift-And).
 * Source: cloud.google.com/storage/docs/json_api/v1/objects/list#list-objects-and-prefixes-using-glob
 * @throws CloudError INVALID_ARGUMENT when the pattern is too long, or braces expand too far
 */
export function compileGlob(pattern: string): (name: string) => boolean {
  if (Buffer.byteLength(pattern) > patternLimitBytes) {
    throw new CloudError('INVALID_ARGUMENT', `The glob pattern is longer than ${patternLimitBytes} bytes.`, 'Use a shorter pattern.')
  }
  // all alternatives side by side, each with a token behind it that marks its end
  const tokens = readGlobTokens(pattern).flatMap((alternative) => [...alternative, theEnd])
  const wordCount = (tokens.length >>> 5) + 1
  const bitsOf = (has: (token: GlobToken) => boolean): Uint32Array => {
    const bits = new Uint32Array(wordCount)
    for (const [at, token] of tokens.entries()) if (has(token)) bits[at >>> 5] = (bits[at >>> 5] ?? 0) | (1 << (at & 31))
    return bits
  }
  const many = bitsOf(({ isMany }) => isMany)
  const ends = bitsOf((token) => token === theEnd)
  const starts = new Uint32Array(wordCount)
  for (let at = 0; at < tokens.length; at += 1) {
    if (at === 0 || tokens[at - 1] === theEnd) starts[at >>> 5] = (starts[at >>> 5] ?? 0) | (1 << (at & 31))
  }
  const known = new Map<string, Uint32Array>()
  const takersOf = (char: string): Uint32Array => {
    const found = known.get(char)
    if (found !== undefined) return found
    if (known.size >= rememberedChars) known.clear()
    const made = bitsOf((token) => token.accepts(char))
    known.set(char, made)
    return made
  }
  const places = new Uint32Array(wordCount)
  return (name) => {
    places.set(starts)
    passMany(places, many)
    for (const char of name) if (!step(places, takersOf(char), many)) return false
    return places.some((word, at) => (word & (ends[at] ?? 0)) !== 0)
  }
}

const theEnd: GlobToken = { isMany: false, accepts: () => false }

/** Reads one character. False when no place is left. */
function step(places: Uint32Array, takers: Uint32Array, many: Uint32Array): boolean {
  let carry = 0
  let some = 0
  for (let word = 0; word < places.length; word += 1) {
    const taken = (places[word] ?? 0) & (takers[word] ?? 0)
    const next = (taken << 1) | carry | (taken & (many[word] ?? 0))
    carry = taken >>> 31
    places[word] = next
    some |= next
  }
  passMany(places, many)
  return some !== 0
}

/** Passes stars that match nothing. No two stars follow one another, so one step is enough. */
function passMany(places: Uint32Array, many: Uint32Array): void {
  let carry = 0
  for (let word = 0; word < places.length; word += 1) {
    const stars = (places[word] ?? 0) & (many[word] ?? 0)
    places[word] = (places[word] ?? 0) | (stars << 1) | carry
    carry = stars >>> 31
  }
}
