/** What a Range header asks of an object. Both ends are inclusive. */
export type ByteRange =
  | { readonly kind: 'whole' }
  | { readonly kind: 'part'; readonly first: number; readonly last: number }
  | { readonly kind: 'unsatisfiable' }

/**
 * Reads `bytes=0-99`, `bytes=100-` or `bytes=-10`. What is malformed, backwards or a list of ranges counts as absent (storage trap 20).
 * Source: RFC 9110, section 14.
 */
export function readByteRange(header: string | undefined, sizeBytes: number): ByteRange {
  const match = /^\s*bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*$/i.exec(header ?? '')
  const [, from = '', to = ''] = match ?? []
  if (match === null || (from === '' && to === '')) return { kind: 'whole' }
  if (from === '') {
    const wanted = Math.min(Number(to), sizeBytes)
    return wanted === 0 ? { kind: 'unsatisfiable' } : { kind: 'part', first: sizeBytes - wanted, last: sizeBytes - 1 }
  }
  const first = Number(from)
  if (to !== '' && Number(to) < first) return { kind: 'whole' }
  if (first >= sizeBytes) return { kind: 'unsatisfiable' }
  return { kind: 'part', first, last: to === '' ? sizeBytes - 1 : Math.min(Number(to), sizeBytes - 1) }
}
