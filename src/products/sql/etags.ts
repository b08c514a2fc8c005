import { createHash } from 'node:crypto'
import { stale } from './errors.ts'

/** Of an instance: a new one with each change. */
export function newEtag(): string {
  return createHash('sha256').update(crypto.randomUUID()).digest('base64url').slice(0, 43)
}

/** @param sent the client's etag; empty without one. @throws CloudError SQL_SETTINGS_STALE where the instance has another one by now */
export function checkEtag(sent: string, current: string): void {
  if (sent !== '' && sent !== current) throw stale()
}

/** Of a database or a user: equal contents have equal etags. */
export function etagOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex')
}
