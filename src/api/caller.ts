import { AsyncLocalStorage } from 'node:async_hooks'
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

/** What the door that a request came by says of who sends it. */
export interface Admission {
  /** The socket, or a token of this machine, is that of the user who owns the daemon: a request without a token of Google's kind is theirs. */
  readonly isLocalUser: boolean
  /** A browser sends it for a page: the local user's authority is never lent to it. */
  readonly isPage: boolean
}

/** The person at this machine, who may do everything. */
export const localUser: Caller = { email: 'you@devcloud.local' }

export const callerKey = createContextKey<Caller | undefined>(undefined, { description: 'caller' })

const nobody: Admission = { isLocalUser: false, isPage: false }
const admissions = new WeakMap<object, Admission>()
const within = new AsyncLocalStorage<Admission>()

/** Notes what a door knows of a request, before it is handed to the API's server. A request that no door admitted has the authority of its token alone. */
export function admit(request: object, admission: Admission): void {
  admissions.set(request, admission)
}

/** What the door of a request noted. */
export function admissionOf(request: object): Admission {
  return admissions.get(request) ?? within.getStore() ?? nobody
}

/** Runs `work`, whose requests within the server came by the door of `request`: those of a batch. */
export function admittedAs<T>(request: object, work: () => T): T {
  return within.run(admissionOf(request), work)
}

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
 * Who calls, by a token of ours, else by the door. On the endpoints port a token that is foreign counts as none: tools that take an endpoint
 * have no credentials of ours, and send what they have.
 */
export function readCaller(headers: IncomingHttpHeaders, { isLocalUser, isPage }: Admission, tokens: TokenReader): Caller | undefined {
  const token = /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1]
  const known = token === undefined ? undefined : tokens.read(token)
  if (known !== undefined) return isPage && known.email === localUser.email ? undefined : known
  return isLocalUser && !isPage ? localUser : undefined
}
