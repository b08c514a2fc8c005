import type { IncomingHttpHeaders } from 'node:http'
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
 * Reads who calls from the headers. On the endpoints port (a host of this machine) a token that is missing or foreign counts as the local user:
 * tools that take an endpoint have no credentials of ours. A page in a browser is no such tool: it sends an Origin, and the gateway refuses those
 * of other pages on `localhost` itself.
 */
export function readCaller(headers: IncomingHttpHeaders, host: string, tokens: TokenReader): Caller | undefined {
  const token = /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1]
  const known = token === undefined ? undefined : tokens.read(token)
  if (known !== undefined) return known
  if (/^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(host)) return localUser
  return regionalEndpoint.test(host) && headers.origin === undefined ? localUser : undefined
}

/** gcloud puts a region before the endpoint that it is given for Cloud Run: `us-central1-run.localhost`. */
const regionalEndpoint = /^([a-z0-9-]+-)?run\.localhost(:\d+)?$/
