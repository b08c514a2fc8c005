import type { ClientExchange, ExchangeHost, ExchangePlan } from './client-exchange.ts'
import type { ClientRequest } from './client-request.ts'
import { Exchange } from './exchange.ts'
import { requestEnd, untracedRequest, type Trace } from './forward-head.ts'
import { h2RequestForApplication } from './h2/h2-fields.ts'
import { H2cExchange } from './h2/h2c-exchange.ts'
import type { Field } from './http-head.ts'
import type { Passage, Replaced } from './passage.ts'
import type { RouterCore } from './router-core.ts'
import { sessionCookie } from './session-affinity.ts'
import type { Lease } from './upstream.ts'

/** Sends the request of a client of HTTP/1.1 to an instance. @throws Error when it cannot be said in HTTP/2 */
export function openExchange(
  core: RouterCore,
  host: ExchangeHost,
  passage: Passage<ClientRequest>,
  lease: Lease,
  remoteIp: string,
  replace: Replaced | undefined,
): ClientExchange {
  const plan = new Plan(passage, lease, remoteIp, replace)
  if (!passage.asHttp2) return new Exchange(host, plan)
  const { head, front, plain } = passage.request
  const fields = head.fields.map((field) => ({ ...field, value: replace?.[field.lower] ?? field.value }))
  return new H2cExchange(host, core.sessions, plan, h2RequestForApplication({ ...head, fields }, front, remoteIp, passage.trace, plain))
}

class Plan implements ExchangePlan {
  readonly request: ClientRequest
  readonly forApplication: string
  readonly trace: Trace
  readonly lease: Lease
  readonly maxBodyBytes: number
  readonly cookie: Field | undefined

  constructor(passage: Passage<ClientRequest>, lease: Lease, remoteIp: string, replace: Replaced | undefined) {
    const { request, choice, trace } = passage
    const { head, framing, front, upgrade, plain } = request
    const fixed =
      replace === undefined ? request.forApplication : untracedRequest(head, framing, front, remoteIp, { upgrade, plain, replace })
    this.request = request
    this.forApplication = fixed + requestEnd(trace)
    this.trace = trace
    this.lease = lease
    this.maxBodyBytes = passage.maxBodyBytes
    this.cookie = choice && sessionCookie(choice.upstream, lease, choice.preferred)
  }
}
