import { messageOf } from '../../../base/cloud-error.ts'
import { invalid } from '../names.ts'
import { decodeUtf8 } from './query.ts'

/** No resource is so deep, and none has so many values: a lifecycle of 100 rules with 1000 prefixes, a policy of 1500 members. */
const depthLimit = 32
const valuesLimit = 20_000

/**
 * Reads a JSON body; an empty one is `{}`. `__proto__` is a key like any other.
 * @throws CloudError INVALID_ARGUMENT for what is no JSON, no UTF-8, or larger than any resource
 */
export function parseJson(bytes: Uint8Array): unknown {
  if (bytes.length === 0) return {}
  const text = decodeUtf8(bytes)
  checkSize(bytes)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw invalid(`Parse Error: ${messageOf(error)}`, 'Send JSON.')
  }
  // an escape may write half a character, which no name and no value can be
  if (/\\u[dD][89a-fA-F]/.test(text)) checkWhole(value)
  return value
}

/** @throws CloudError INVALID_ARGUMENT */
function checkWhole(value: unknown): void {
  if (typeof value === 'string' && !value.isWellFormed()) throw invalid('Malformed UTF-8 in the request.', 'Send whole characters.')
  if (typeof value !== 'object' || value === null) return
  for (const [key, below] of Object.entries(value)) for (const one of [key, below]) checkWhole(one)
}

const [quote, backslash, comma] = [0x22, 0x5c, 0x2c]

/** Counts before anything is built: JSON of a megabyte can stand for 300,000 objects, or be nested deeper than any stack. */
function checkSize(bytes: Uint8Array): void {
  let depth = 0
  let values = 0
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at]
    if (byte === quote) at = endOfString(bytes, at + 1)
    else if (byte === 0x7b || byte === 0x5b) depth += 1
    else if (byte === 0x7d || byte === 0x5d) depth -= 1
    else if (byte === comma) values += 1
    if (depth > depthLimit) throw invalid('The JSON of the request is nested too deep.', `Nest at most ${depthLimit} values.`)
    if (values > valuesLimit) throw invalid('The JSON of the request has too many values.', `Send at most ${valuesLimit} values.`)
  }
}

function endOfString(bytes: Uint8Array, from: number): number {
  let at = from
  while (at < bytes.length && bytes[at] !== quote) at += bytes[at] === backslash ? 2 : 1
  return at
}
