import { CloudError } from '../base/cloud-error.ts'

/** What braces may expand to. */
const alternativesLimit = 256

/**
 * A matcher for the listing parameter matchGlob: `*` and `?` stop at a slash, `**` does not; `[a-z]`, `[!a-z]`, `{a,b}`, backslash escapes.
 * Time is linear in the name, whatever the pattern. Source: cloud.google.com/storage/docs/json_api/v1/objects/list#list-objects-and-prefixes-using-glob
 * @throws CloudError INVALID_ARGUMENT when braces expand too far
 */
export function compileGlob(pattern: string): (name: string) => boolean {
  const alternatives = expandBraces(pattern).map(readTokens)
  return (name) => alternatives.some((tokens) => matches(tokens, [...name]))
}

type Token =
  | { readonly kind: 'one'; readonly accepts: (char: string) => boolean }
  | { readonly kind: 'many'; readonly accepts: (char: string) => boolean }

/** Keeps the set of positions in the pattern that the name so far can have reached. */
function matches(tokens: readonly Token[], name: readonly string[]): boolean {
  let states = skipMany(tokens, new Set([0]))
  for (const char of name) {
    const next = new Set<number>()
    for (const state of states) {
      const token = tokens[state]
      if (token?.accepts(char)) next.add(token.kind === 'many' ? state : state + 1)
    }
    if (next.size === 0) return false
    states = skipMany(tokens, next)
  }
  return states.has(tokens.length)
}

/** `many` may match nothing. A set visits what is added to it while it is gone through. */
function skipMany(tokens: readonly Token[], states: Set<number>): Set<number> {
  for (const state of states) if (tokens[state]?.kind === 'many') states.add(state + 1)
  return states
}

function readTokens(pattern: string): readonly Token[] {
  const chars = [...pattern]
  const tokens: Token[] = []
  for (let at = 0; at < chars.length; at += 1) {
    const char = chars[at] ?? ''
    if (char === '*') {
      const double = chars[at + 1] === '*'
      if (double) at += 1
      tokens.push({ kind: 'many', accepts: double ? () => true : (c) => c !== '/' })
    } else if (char === '?') {
      tokens.push({ kind: 'one', accepts: (c) => c !== '/' })
    } else if (char === '[' && chars.indexOf(']', at + 2) > 0) {
      const end = chars.indexOf(']', at + 2)
      tokens.push({ kind: 'one', accepts: readSet(chars.slice(at + 1, end)) })
      at = end
    } else {
      if (char === '\\' && at + 1 < chars.length) at += 1
      const literal = chars[at]
      tokens.push({ kind: 'one', accepts: (c) => c === literal })
    }
  }
  return tokens
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

function expandBraces(pattern: string): readonly string[] {
  let done: string[] = []
  let open = [pattern]
  while (open.length > 0) {
    const expanded = open.map((one) => ({ one, parts: splitFirstBrace(one) }))
    done = [...done, ...expanded.flatMap(({ one, parts }) => (parts === undefined ? [one] : []))]
    open = expanded.flatMap(({ parts }) => parts ?? [])
    if (done.length + open.length > alternativesLimit) {
      throw new CloudError('INVALID_ARGUMENT', `The glob pattern "${pattern}" has too many alternatives.`, 'Use fewer braces.')
    }
  }
  return done
}

function splitFirstBrace(pattern: string): readonly string[] | undefined {
  const commas: number[] = []
  let start = -1
  let depth = 0
  for (let at = 0; at < pattern.length; at += 1) {
    const char = pattern[at]
    if (char === '\\') at += 1
    else if (char === '{') {
      if (depth === 0) start = at
      depth += 1
    } else if (char === ',' && depth === 1) commas.push(at)
    else if (char === '}' && depth > 0) {
      depth -= 1
      if (depth > 0) continue
      const cuts = [start, ...commas, at]
      return cuts.slice(1).map((cut, index) => pattern.slice(0, start) + pattern.slice((cuts[index] ?? 0) + 1, cut) + pattern.slice(at + 1))
    }
  }
  return undefined
}
