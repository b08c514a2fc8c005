import { valueOf } from './forward-head.ts'
import type { Field } from './http-head.ts'
import type { RouteTarget, Upstream } from './upstream.ts'

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

/** Comes before the split of the traffic: the session's revision while it takes part in it. */
export function boundUpstream({ revision }: Session, targets: readonly RouteTarget[]): Upstream | undefined {
  return targets.find(({ upstream }) => upstream.id === revision)?.upstream
}

/** The header that binds a client for 30 days, the value names the instance and is opaque to applications. */
export function sessionCookie({ revision, instance }: Session): Field {
  const value = Buffer.from(`${revision}\n${instance}`).toString('base64url')
  return { name: 'Set-Cookie', lower: 'set-cookie', value: `${name}=${value}; Max-Age=${days30}; Path=/; Secure; HttpOnly` }
}
