import { combineCrc32c } from '../../objects/running-sums.ts'
import type { Content, StoredObject } from '../../objects/stored.ts'
import { invalid } from './names.ts'

/** Of how many pieces an object may be that shares bytes with others; one of more is written anew. */
const mostPieces = 32

/** The bytes of all, one after another, shared with them. Pure. @throws CloudError INVALID_ARGUMENT */
export function composition(sources: readonly StoredObject[]): Content & { readonly bytes: { readonly kind: 'blobs' } } {
  const [first] = sources
  if (first === undefined) throw invalid('You must provide at least one source component.', 'Name 1 to 32 sources.')
  if (sources.length > 32) throw invalid('The number of source components provided exceeds the maximum of 32.', 'Compose in steps of 32.')
  return {
    sizeBytes: sources.reduce((size, source) => size + source.sizeBytes, 0),
    crc32c: sources.slice(1).reduce((crc, source) => combineCrc32c(crc, source.crc32c, source.sizeBytes), first.crc32c),
    md5: undefined,
    componentCount: sources.reduce((count, source) => count + (source.componentCount ?? 1), 0),
    bytes: { kind: 'blobs', ids: sources.flatMap(({ blobs }) => blobs) },
  }
}

/** Whether the bytes are to be written anew: compositions of compositions would grow to more pieces than a turn can count. */
export function isInTooManyPieces({ bytes }: Content): boolean {
  return bytes.kind === 'blobs' && bytes.ids.length > mostPieces
}
