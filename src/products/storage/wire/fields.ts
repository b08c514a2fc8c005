import { isRecord } from '../bucket-attributes.ts'
import { invalid } from '../names.ts'

/** Which keys to keep, and of which only a part. `*` stands for every key. */
type Mask = ReadonlyMap<string, Mask | undefined>

/**
 * A partial response: `items(name,size),nextPageToken`, `items/name`, a star for every key. What is absent is passed over.
 * Source: cloud.google.com/storage/docs/json_api#partial-response. @throws CloudError INVALID_ARGUMENT
 */
export function selectFields(resource: object, text: string): unknown {
  return select(resource, readMask(text))
}

/** @throws CloudError INVALID_ARGUMENT */
function readMask(text: string): Mask {
  const tokens = text.match(/[(),/]|[^(),/\s]+/g) ?? []
  let at = 0
  const list = (): Mask => {
    const mask = new Map<string, Mask | undefined>()
    do {
      const [name, below] = path()
      const known = mask.get(name)
      mask.set(name, known !== undefined && below !== undefined ? new Map([...known, ...below]) : below)
    } while (tokens[at] === ',' && ++at > 0)
    return mask
  }
  const path = (): readonly [string, Mask | undefined] => {
    const name = tokens[at++]
    if (name === undefined || /^[(),/]$/.test(name)) throw malformed(text)
    if (tokens[at] === '/') {
      at += 1
      return [name, new Map([path()])]
    }
    if (tokens[at] !== '(') return [name, undefined]
    at += 1
    const below = list()
    if (tokens[at++] !== ')') throw malformed(text)
    return [name, below]
  }
  const mask = list()
  if (at < tokens.length) throw malformed(text)
  return mask
}

function select(value: unknown, mask: Mask): unknown {
  if (Array.isArray(value)) return value.map((item) => select(item, mask))
  if (!isRecord(value)) return value
  const kept = Object.entries(value).flatMap(([key, below]) => {
    const name = mask.has(key) ? key : '*'
    if (!mask.has(name)) return []
    const inner = mask.get(name)
    return [[key, inner === undefined ? below : select(below, inner)] as const]
  })
  return Object.fromEntries(kept)
}

function malformed(text: string) {
  return invalid(`Invalid field selection ${text}`, 'Send fields as items(name,size),nextPageToken.')
}
