import { createContextKey, type HandlerContext } from '@connectrpc/connect'
import { CloudError } from '../base/cloud-error.ts'

/** Who calls: a service account, or the person at this machine. */
export interface Caller {
  readonly email: string
}

/** Tells whose a bearer token is; undefined for one that is unknown or over. */
export interface TokenReader {
  read(token: string): Caller | undefined
}

/** The person at this machine, who may do everything. */
export const localUser: Caller = { email: 'you@devcloud.local' }

export const callerKey = createContextKey<Caller | undefined>(undefined, { description: 'caller' })

/** The caller of an RPC. @throws CloudError UNAUTHENTICATED when there is none */
export function callerOf(context: HandlerContext): Caller {
  return requireCaller(context.values.get(callerKey))
}

export function requireCaller(caller: Caller | undefined): Caller {
  if (caller !== undefined) return caller
  throw new CloudError(
    'UNAUTHENTICATED',
    'Request is missing required authentication credential. Expected OAuth 2 access token, login cookie or other valid authentication credential.',
    'eval "$(devcloud env)" gives a shell the credentials of this machine.',
  )
}

/**
 * Reads the Authorization header. On the endpoints port (a host of this machine) a token that is missing or foreign counts as the local user:
 * tools that take an endpoint have no credentials of ours.
 */
export function readCaller(authorization: string | undefined, host: string, tokens: TokenReader): Caller | undefined {
  const token = /^Bearer (.+)$/i.exec(authorization ?? '')?.[1]
  const known = token === undefined ? undefined : tokens.read(token)
  return known ?? (/^(localhost|127\.0\.0\.1|\[::1\]|([a-z0-9-]+-)?run\.localhost)(:\d+)?$/.test(host) ? localUser : undefined)
}
