import { CloudError } from '../base/cloud-error.ts'

/** One token of a pattern: the characters that it matches, and whether it matches any number of them. */
export interface GlobToken {
  readonly isMany: boolean
  readonly accepts: (char: string) => boolean
}

/** What braces may expand to. */
const alternativesLimit = 256
/** Of all alternatives together. */
const tokensLimit = 2048

type Tokens = readonly GlobToken[]

/**
 * The alternatives of a pattern: `a{b,c}` has `ab` and `ac`. Two stars in a row become one.
 * @throws CloudError INVALID_ARGUMENT for too many alternatives
 */
export function readGlobTokens(pattern: string): readonly Tokens[] {
  const chars = [...pattern]
  let at = 0

  /** Reads up to the end, or inside braces up to the comma or brace that ends the alternative. */
  const sequence = (depth: number): readonly Tokens[] => {
    let read: readonly Tokens[] = [[]]
    for (; at < chars.length; at += 1) {
      const char = chars[at] ?? ''
      if (depth > 0 && (char === ',' || char === '}')) break
      read = joined(read, char === '{' && closes() ? braces(depth) : [[single(char)]])
    }
    return read
  }
  /** Leaves `at` on the brace that closes. */
  const braces = (depth: number): readonly Tokens[] => {
    const all: Tokens[] = []
    do {
      at += 1
      all.push(...sequence(depth + 1))
    } while (chars[at] === ',')
    return all
  }
  /** Whether the brace at `at` has its other half. */
  const closes = (): boolean => {
    let open = 0
    for (let ahead = at; ahead < chars.length; ahead += 1) {
      if (chars[ahead] === '\\') ahead += 1
      else if (chars[ahead] === '{') open += 1
      else if (chars[ahead] === '}' && --open === 0) return true
    }
    return false
  }
  /** Leaves `at` on its last character. */
  const single = (char: string): GlobToken => {
    if (char === '*') {
      const isDouble = chars[at + 1] === '*'
      if (isDouble) at += 1
      return { isMany: true, accepts: isDouble ? anyChar : notSlash }
    }
    if (char === '?') return { isMany: false, accepts: notSlash }
    const end = char === '[' ? chars.indexOf(']', at + 2) : -1
    if (end > 0) {
      const set = readSet(chars.slice(at + 1, end))
      at = end
      return { isMany: false, accepts: set }
    }
    if (char === '\\' && at + 1 < chars.length) at += 1
    const literal = chars[at]
    return { isMany: false, accepts: (one) => one === literal }
  }

  return sequence(0)
}

function anyChar(): boolean {
  return true
}

function notSlash(char: string): boolean {
  return char !== '/'
}

function joined(heads: readonly Tokens[], tails: readonly Tokens[]): readonly Tokens[] {
  const [only] = heads
  const [tail] = tails
  const count = heads.length * tails.length
  const size =
    heads.reduce((sum, head) => sum + head.length, 0) * tails.length + tails.reduce((sum, one) => sum + one.length, 0) * heads.length
  if (count > alternativesLimit || size > tokensLimit) {
    throw new CloudError('INVALID_ARGUMENT', 'The glob pattern has too many alternatives.', 'Use fewer braces.')
  }
  if (only !== undefined && tail !== undefined && count === 1) return [concatenated(only, tail)]
  return heads.flatMap((head) => tails.map((one) => concatenated(head, one)))
}

function concatenated(head: Tokens, tail: Tokens): Tokens {
  const last = head.at(-1)
  const first = tail[0]
  if (last?.isMany !== true || first?.isMany !== true) return [...head, ...tail]
  return [...head.slice(0, -1), last.accepts === anyChar ? last : first, ...tail.slice(1)]
}

function readSet(chars: readonly string[]): (char: string) => boolean {
  const negated = chars[0] === '!' || chars[0] === '^'
  const body = negated ? chars.slice(1) : chars
  const ranges: { readonly from: string; readonly to: string }[] = []
  for (let at = 0; at < body.length; at += 1) {
    const from = body[at] ?? ''
    const isRange = body[at + 1] === '-' && at + 2 < body.length
    ranges.push({ from, to: isRange ? (body[at + 2] ?? '') : from })
    if (isRange) at += 2
  }
  return (char) => char !== '/' && ranges.some(({ from, to }) => from <= char && char <= to) !== negated
}
