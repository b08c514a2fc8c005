import { createHash } from 'node:crypto'

/** The same for the same content. */
export function etagOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex')
}
