import type { FastifyRequest } from 'fastify'
import { invalid } from '../names.ts'

/** The query of a request, each name and value decoded. @throws CloudError INVALID_ARGUMENT for what is not UTF-8 */
export function queryOf(request: FastifyRequest): URLSearchParams {
  const text = (request.raw.url ?? '').split('?').slice(1).join('?')
  const pairs = text.split('&').flatMap((pair): [string, string][] => {
    if (pair === '') return []
    const at = pair.indexOf('=')
    const [name, value] = at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)]
    return [[decodePart(name.replaceAll('+', ' ')), decodePart(value.replaceAll('+', ' '))]]
  })
  return new URLSearchParams(pairs)
}

/** A part of a path or query: a plus sign is one (storage trap 25). @throws CloudError INVALID_ARGUMENT for what is not UTF-8 */
export function decodePart(part: string): string {
  // a byte past ASCII that a client did not encode is a character of its own here
  const encoded = part.replaceAll(/[\x80-\xff]/g, (byte) => `%${byte.charCodeAt(0).toString(16)}`)
  try {
    return decodeURIComponent(encoded)
  } catch {
    throw invalid(`Malformed percent-encoding: ${part.slice(0, 200)}`, 'Encode the text as UTF-8.')
  }
}

/** The text of a header's bytes. @throws CloudError INVALID_ARGUMENT for what is not UTF-8 */
export function decodeHeader(value: string): string {
  return decodeUtf8(Buffer.from(value, 'latin1'))
}

/** @throws CloudError INVALID_ARGUMENT for what is not UTF-8 */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw invalid('Malformed UTF-8 in the request.', 'Encode the text as UTF-8.')
  }
}
