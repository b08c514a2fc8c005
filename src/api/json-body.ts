import { isRecord } from '../base/is-record.ts'
import type { JsonValue } from '@bufbuild/protobuf'
import { CloudError, messageOf } from '../base/cloud-error.ts'

/** The largest JSON body in bytes. No resource of Google's needs more: a secret's payload has 64 KiB, a whole Run service 1 MiB. */
export const messageLimitBytes = 1 << 20

/** The deepest nesting, as in protobuf's own parsers: readers of the value may recurse. */
const depthLimit = 100
/** The most values. No resource needs more: a policy has 1500 members, a lifecycle 1000 prefixes, a container 1000 variables. More would hold the event loop (S25). */
const valuesLimit = 3000

/**
 * Reads the JSON of a request. Undefined for an empty body. `__proto__` is a key like any other.
 * @throws CloudError INVALID_ARGUMENT in Google's words for text that is no JSON or no UTF-8, or larger than any resource
 */
export function readJson(bytes: Uint8Array): JsonValue | undefined {
  if (bytes.length === 0) return undefined
  checkSize(bytes)
  let text: string
  let value: JsonValue
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    value = JSON.parse(text) as JsonValue
  } catch (error) {
    throw invalid(messageOf(error), 'Send JSON in UTF-8.', error)
  }
  if (/\\u[dD][89a-fA-F]/.test(text)) checkWhole(value) // an escape may write half a character, which no name and no value can be
  return value
}

function checkWhole(value: unknown): void {
  if (typeof value === 'string' && !value.isWellFormed()) throw invalid('An escape stands for half a character.', 'Send whole characters.')
  if (Array.isArray(value)) value.forEach(checkWhole)
  else if (isRecord(value)) Object.entries(value).flat().forEach(checkWhole)
}

const [quote, backslash, comma] = [0x22, 0x5c, 0x2c]

/** Counts values and depth before the parser runs: a megabyte of JSON can hold 300,000 objects, or be nested deeper than any stack. */
function checkSize(bytes: Uint8Array): void {
  let depth = 0
  let values = 0
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at]
    if (byte === quote) at = endOfString(bytes, at + 1)
    else if (byte === 0x7b || byte === 0x5b) depth += 1
    else if (byte === 0x7d || byte === 0x5d) depth -= 1
    else if (byte === comma) values += 1
    if (depth > depthLimit) throw invalid('Message too deep.', `Nest at most ${depthLimit} objects and lists.`)
    if (values > valuesLimit) throw invalid('Too many values.', `Send at most ${valuesLimit} values.`)
  }
}

function endOfString(bytes: Uint8Array, from: number): number {
  let at = from
  while (at < bytes.length && bytes[at] !== quote) at += bytes[at] === backslash ? 2 : 1
  return at
}

function invalid(words: string, next: string, cause?: unknown): CloudError {
  return new CloudError('INVALID_ARGUMENT', `Invalid JSON payload received. ${words}`, next, { cause })
}
