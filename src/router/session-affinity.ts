import { valueOf } from './forward-head.ts'
import type { Field } from './http-head.ts'
import type { Lease, Upstream } from './upstream.ts'

/** What Cloud Run's cookie of session affinity binds a client to. */
export interface Session {
  readonly revision: string
  readonly instance: string
}

const name = 'GAESA'
const days30 = 30 * 24 * 60 * 60

/** The session of the request's cookies; undefined when it has none, or one that we did not write. */
export function readSession(fields: readonly Field[]): Session | undefined {
  const [, value] = /(?:^|;\s*)GAESA=([A-Za-z0-9_-]{1,512})(?:;|$)/.exec(valueOf(fields, 'cookie')) ?? []
  if (value === undefined) return undefined
  const [revision, instance, ...more] = Buffer.from(value, 'base64url').toString('utf8').split('\n')
  return revision === undefined || instance === undefined || more.length > 0 ? undefined : { revision, instance }
}

/**
 * The header that binds a client for 30 days, where the revision binds clients and this one is not bound to this instance. Its value names the
 * instance and is opaque to applications.
 * @param preferred the instance that the client is bound to
 */
export function sessionCookie({ id, sessionAffinity }: Upstream, { instance }: Lease, preferred: string | undefined): Field | undefined {
  if (sessionAffinity !== true || preferred === instance) return undefined
  const value = Buffer.from(`${id}\n${instance}`).toString('base64url')
  return { name: 'Set-Cookie', lower: 'set-cookie', value: `${name}=${value}; Max-Age=${days30}; Path=/; Secure; HttpOnly` }
}
