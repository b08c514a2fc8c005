import { goesAsHttp2, maxBodyBytes } from './body-limit.ts'
import type { ClientExchange, ExchangePlan } from './client-exchange.ts'
import type { ClientRequest } from './client-request.ts'
import { requestEnd, untracedRequest, type Trace } from './forward-head.ts'
import type { Field } from './http-head.ts'
import type { RouteChoice } from './routes.ts'
import { sessionCookie } from './session-affinity.ts'
import type { LoggedRequest } from '../telemetry/logged-request.ts'
import type { Lease } from './upstream.ts'

/** The request that a connection of HTTP/1.1 has under way. A class, as are all that are made for each request, for what `SlotLease` says. */
export class CurrentRequest {
  readonly request: ClientRequest
  readonly choice: RouteChoice
  readonly startMs: number
  readonly startTicks: number
  readonly trace: Trace
  readonly asHttp2: boolean
  /** While it waits for an instance. */
  waiting: AbortController | undefined = undefined
  exchange: ClientExchange | undefined = undefined
  instance = ''

  constructor(request: ClientRequest, choice: RouteChoice, trace: Trace, startMs: number, startTicks: number) {
    this.request = request
    this.choice = choice
    this.trace = trace
    this.startMs = startMs
    this.startTicks = startTicks
    this.asHttp2 = goesAsHttp2(choice.upstream, request.head.fields)
  }
}

/** @param replace values that the application sees instead, by header names in lower case */
export function toPlan(
  current: CurrentRequest,
  lease: Lease,
  remoteIp: string,
  replace: Readonly<Record<string, string>> | undefined,
): ExchangePlan {
  return new Plan(current, lease, remoteIp, replace)
}

class Plan implements ExchangePlan {
  readonly request: ClientRequest
  readonly forApplication: string
  readonly trace: Trace
  readonly lease: Lease
  readonly maxBodyBytes: number
  readonly cookie: Field | undefined

  constructor(current: CurrentRequest, lease: Lease, remoteIp: string, replace: Readonly<Record<string, string>> | undefined) {
    const { request, choice, trace, asHttp2 } = current
    const { head, framing, front, upgrade, plain } = request
    const fixed =
      replace === undefined ? request.forApplication : untracedRequest(head, framing, front, remoteIp, { upgrade, plain, replace })
    this.request = request
    this.forApplication = fixed + requestEnd(trace)
    this.trace = trace
    this.lease = lease
    this.maxBodyBytes = maxBodyBytes(choice.route, asHttp2)
    this.cookie = sessionCookie(choice.upstream, lease, choice.preferred)
  }
}

/** What the request log keeps. */
export function toRecord(current: CurrentRequest, status: number, remoteIp: string, nowTicks: number): LoggedRequest {
  return new FinishedRequest(current, status, remoteIp, nowTicks)
}

class FinishedRequest implements LoggedRequest {
  readonly timeMs: number
  readonly project: string
  readonly service: string
  readonly revision: string
  readonly instance: string
  readonly method: string
  readonly target: string
  readonly status: number
  readonly latencyMs: number
  readonly requestBytes: number
  readonly responseBytes: number
  readonly userAgent: string
  readonly remoteIp: string
  readonly traceId: string

  constructor(current: CurrentRequest, status: number, remoteIp: string, nowTicks: number) {
    const { request, choice, exchange } = current
    this.timeMs = current.startMs
    this.project = choice.route.project
    this.service = choice.route.service
    this.revision = choice.upstream.id
    this.instance = current.instance
    this.method = request.head.method
    this.target = request.head.target
    this.status = status
    this.latencyMs = nowTicks - current.startTicks
    this.requestBytes = exchange?.requestBytes ?? 0
    this.responseBytes = exchange?.responseBytes ?? 0
    this.userAgent = request.userAgent
    this.remoteIp = remoteIp
    this.traceId = current.trace.traceId
  }
}
