import { createHash } from 'node:crypto'

/** The etag of a content: equal contents have equal etags. */
export function etagOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex')
}
