import { isRecord } from '../../../base/is-record.ts'
import { invalid } from '../names.ts'

/** Which keys to keep, and of which only a part. `*` stands for every key. */
export type Mask = Map<string, Mask | undefined>

/** No resource is so deep, and no list of all its fields so long. */
const depthLimit = 16
const textLimit = 8192

/**
 * Reads a partial response: `items(name,size),nextPageToken`, `items/name`, a star for every key.
 * Source: cloud.google.com/storage/docs/json_api#partial-response. @throws CloudError INVALID_ARGUMENT
 */
export function readMask(text: string): Mask {
  if (text.length > textLimit) throw invalid('The field selection is too long.', `Send at most ${textLimit} characters.`)
  const tokens = text.match(/[(),/]|[^(),/\s]+/g) ?? []
  let at = 0
  /** `into` has what the list adds to it: `a/b,a/c` selects both. */
  const list = (into: Mask, depth: number): void => {
    if (depth > depthLimit) throw invalid('The field selection is nested too deep.', `Nest at most ${depthLimit} fields.`)
    do path(into, depth)
    while (tokens[at] === ',' && ++at > 0)
  }
  const path = (into: Mask, depth: number): void => {
    const name = tokens[at++]
    if (name === undefined || /^[(),/]$/.test(name)) throw malformed(text)
    const next = tokens[at]
    const isNew = !into.has(name)
    const below = into.get(name) ?? new Map()
    if (next !== '/' && next !== '(') {
      into.set(name, undefined)
      return
    }
    if (isNew || into.get(name) !== undefined) into.set(name, below) // what is whole already stays whole
    at += 1
    if (next === '(') {
      list(below, depth + 1)
      if (tokens[at++] !== ')') throw malformed(text)
    } else if (depth === depthLimit) {
      throw invalid('The field selection is nested too deep.', `Nest at most ${depthLimit} fields.`)
    } else {
      path(below, depth + 1)
    }
  }
  const mask: Mask = new Map()
  list(mask, 0)
  if (at < tokens.length) throw malformed(text)
  return mask
}

/** What the mask keeps of a value; what is absent is passed over. */
export function select(value: unknown, mask: Mask | undefined): unknown {
  if (mask === undefined) return value
  if (Array.isArray(value)) return value.map((item) => select(item, mask))
  if (!isRecord(value)) return value
  const kept = Object.entries(value).flatMap(([key, below]) => {
    const name = mask.has(key) ? key : '*'
    return mask.has(name) ? [[key, select(below, mask.get(name))] as const] : []
  })
  return Object.fromEntries(kept)
}

function malformed(text: string) {
  return invalid(`Invalid field selection ${text}`, 'Send fields as items(name,size),nextPageToken.')
}
