import { AsyncLocalStorage } from 'node:async_hooks'
import type { IncomingHttpHeaders } from 'node:http'
import { createContextKey, type HandlerContext } from '@connectrpc/connect'
import { CloudError } from '../base/cloud-error.ts'

/** Who calls: a service account, or the person at this machine. */
export interface Caller {
  readonly email: string
}

/** The owner of a bearer token. Undefined for a token that is unknown or expired. */
export interface TokenReader {
  read(token: string): Caller | undefined
}

/** What the door of a request says about the sender. */
export interface Admission {
  /** Whether the socket, or a token of this machine, belongs to the user who owns the daemon. A request without a token of Google's kind is then that user's. */
  readonly isLocalUser: boolean
  /** Whether a browser sends the request for a page. Such a request never has the local user's authority. */
  readonly isPage: boolean
}

/** The person at this machine, who may do everything. */
export const localUser: Caller = { email: 'you@devcloud.local' }

export const callerKey = createContextKey<Caller | undefined>(undefined, { description: 'caller' })

const nobody: Admission = { isLocalUser: false, isPage: false }
const admissions = new WeakMap<object, Admission>()
const within = new AsyncLocalStorage<Admission>()

/** Notes what a door knows of a request, before the API's server gets the request. A request that no door admitted has the authority of its token alone. */
export function admit(request: object, admission: Admission): void {
  admissions.set(request, admission)
}

/** What the door noted of a request. */
export function admissionOf(request: object): Admission {
  return admissions.get(request) ?? within.getStore() ?? nobody
}

/** Runs `work`, whose inner requests count as sent by the door of `request`: the calls of a batch. */
export function admittedAs<T>(request: object, work: () => T): T {
  return within.run(admissionOf(request), work)
}

/** The caller of an RPC. @throws CloudError UNAUTHENTICATED without a caller */
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
 * The caller of a request: by a token of this machine, else by the door. On the endpoints port a foreign token counts as no token: tools that take an
 * endpoint have no credentials of this machine, and send others.
 */
export function readCaller(headers: IncomingHttpHeaders, { isLocalUser, isPage }: Admission, tokens: TokenReader): Caller | undefined {
  const token = /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1]
  const known = token === undefined ? undefined : tokens.read(token)
  if (known !== undefined) return isPage && known.email === localUser.email ? undefined : known
  return isLocalUser && !isPage ? localUser : undefined
}
