import type { Policy } from '../../../api/gen/google/iam/v1/policy_pb.ts'
import type { Admission, Gate, GateRequest } from '../../../router/upstream.ts'
import { forbiddenPage, ingressPage, unauthorizedPage } from './invoker-pages.ts'

/** Who may call a service, as of its policies: made once when they change, asked with each request. */
export interface InvokerRules {
  readonly service: string
  /** Which requests are let in at all, before anybody's token is read. */
  readonly ingress: 'all' | 'instances' | 'none'
  /** True when no token is asked for: allUsers, or the check is disabled. */
  readonly isOpen: boolean
  /** `user:…`, `serviceAccount:…`, `domain:…`, `allAuthenticatedUsers`. */
  readonly members: ReadonlySet<string>
  /** URLs and custom audiences that a token may be made for. */
  readonly audiences: ReadonlySet<string>
  readonly readIdToken: (token: string) => IdToken | undefined
}

interface IdToken {
  readonly email: string
  readonly audience: string
  readonly expiresMs: number
}

/**
 * The check before a container is asked, undefined where everybody may pass (run traps 25, 26).
 * X-Serverless-Authorization is read first, and then Authorization is the application's own.
 */
export function invokerGate(rules: InvokerRules, nowMs: () => number): Gate | undefined {
  const { ingress, isOpen, readIdToken } = rules
  if (ingress === 'all' && isOpen) return undefined
  const read = remember(readIdToken, nowMs)
  return (request) => {
    if (ingress === 'none' || (ingress === 'instances' && request.origin === 'front')) return blocked(request)
    return isOpen ? passes : check(rules, request, read)
  }
}

const passes: Admission = { kind: 'pass' }

function check(rules: InvokerRules, request: GateRequest, read: InvokerRules['readIdToken']): Admission {
  const { authorization, serverlessAuthorization, target } = request
  const header = serverlessAuthorization === '' ? 'authorization' : 'x-serverless-authorization'
  const value = serverlessAuthorization === '' ? authorization : serverlessAuthorization
  if (value === '') return forbidden(rules, target)
  const token = /^bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(value)?.[1]
  const known = token === undefined ? undefined : read(token)
  if (token === undefined || known === undefined || !isFor(rules, known)) return unauthorized()
  if (!mayInvoke(rules, known.email)) return forbidden(rules, target)
  const unsigned = token.slice(0, token.lastIndexOf('.'))
  return { kind: 'pass', replace: { [header]: `Bearer ${unsigned}.SIGNATURE_REMOVED_BY_GOOGLE` } }
}

/** gcloud's own client: the audience of `gcloud auth print-identity-token` for a person. */
export const gcloudAudience = '32555940559.apps.googleusercontent.com'

function isFor({ audiences }: InvokerRules, { audience, email }: IdToken): boolean {
  if (audiences.has(audience.replace(/\/$/, ''))) return true
  return audience === gcloudAudience && !email.endsWith('gserviceaccount.com')
}

function mayInvoke({ members }: InvokerRules, email: string): boolean {
  const kind = email.endsWith('gserviceaccount.com') ? 'serviceAccount' : 'user'
  if (members.has('allAuthenticatedUsers') || members.has(`${kind}:${email.toLowerCase()}`)) return true
  return kind === 'user' && members.has(`domain:${email.split('@')[1]?.toLowerCase()}`)
}

/** The roles with run.routes.invoke. Source: cloud.google.com/run/docs/reference/iam/roles. */
const invokingRoles = new Set(
  ['run.invoker', 'run.servicesInvoker', 'run.admin', 'run.developer', 'owner', 'editor'].map((name) => `roles/${name}`),
)

/** Whom the policies let invoke. A binding with a condition lets nobody: conditions are not evaluated. */
export function invokersOf(policies: readonly Policy[]): ReadonlySet<string> {
  const bindings = policies.flatMap((policy) => policy.bindings)
  const members = bindings
    .filter(({ role, condition }) => invokingRoles.has(role) && condition === undefined)
    .flatMap((found) => found.members)
  return new Set(
    members.map((member) => (member.startsWith('all') ? member : member.toLowerCase().replace(/^serviceaccount:/, 'serviceAccount:'))),
  )
}

function forbidden({ service }: InvokerRules, target: string): Admission {
  return { kind: 'refuse', status: 403, html: forbiddenPage(target, service) }
}

function unauthorized(): Admission {
  const wwwAuthenticate = 'Bearer error="invalid_token" error_description="The access token could not be verified"'
  return { kind: 'refuse', status: 401, html: unauthorizedPage(), wwwAuthenticate }
}

function blocked({ target }: GateRequest): Admission {
  return { kind: 'refuse', status: 404, html: ingressPage(target), isUnlogged: true }
}

const rememberedTokens = 1000

/** An account that is disabled meanwhile is let in no longer than this. */
const rememberedMs = 60_000

/** A caller sends one token for an hour: its signature is not verified each time. What is over, or was refused, is not remembered. */
function remember(read: InvokerRules['readIdToken'], nowMs: () => number): InvokerRules['readIdToken'] {
  const known = new Map<string, IdToken & { readonly sinceMs: number; readonly untilMs: number }>()
  return (token) => {
    const found = known.get(token)
    const now = nowMs()
    if (found !== undefined && now >= found.sinceMs && now < found.untilMs) return found // a clock that is set back has it verified again
    known.delete(token)
    const fresh = read(token)
    if (fresh === undefined) return undefined
    if (known.size >= rememberedTokens) known.clear()
    known.set(token, { ...fresh, sinceMs: now, untilMs: Math.min(fresh.expiresMs, now + rememberedMs) })
    return fresh
  }
}
