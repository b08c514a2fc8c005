import { maxBodyBytes } from './body-limit.ts'
import type { ClientExchange, ExchangePlan } from './client-exchange.ts'
import type { ClientRequest } from './client-request.ts'
import { requestEnd, untracedRequest, type Trace } from './forward-head.ts'
import { sessionCookie } from './session-affinity.ts'
import type { Lease, RequestRecord, Route, Upstream } from './upstream.ts'

/** The request that a connection of HTTP/1.1 has under way. */
export interface CurrentRequest {
  readonly request: ClientRequest
  readonly route: Route
  readonly upstream: Upstream
  /** The instance that the client is bound to. */
  readonly preferred: string | undefined
  /** How long it may take as a whole. */
  readonly timeoutMs: number
  readonly startMs: number
  readonly startTicks: number
  readonly trace: Trace
  readonly asHttp2: boolean
  /** While it waits for an instance. */
  waiting: AbortController | undefined
  exchange: ClientExchange | undefined
  instance: string
}

/** @param replace values that the application sees instead, by header names in lower case */
export function toPlan(
  current: CurrentRequest,
  lease: Lease,
  remoteIp: string,
  replace: Readonly<Record<string, string>> | undefined,
): ExchangePlan {
  const { request, route, upstream, preferred, trace } = current
  const { head, framing, front, upgrade, plain } = request
  const fixed =
    replace === undefined ? request.forApplication : untracedRequest(head, framing, front, remoteIp, { upgrade, plain, replace })
  return {
    request,
    forApplication: fixed + requestEnd(trace),
    trace,
    lease,
    maxBodyBytes: maxBodyBytes(route, current.asHttp2),
    cookie: sessionCookie(upstream, lease, preferred),
  }
}

/** What the request log keeps. */
export function toRecord(current: CurrentRequest, status: number, remoteIp: string, nowTicks: number): RequestRecord {
  const { request, route, upstream, exchange } = current
  return {
    timeMs: current.startMs,
    project: route.project,
    service: route.service,
    revision: upstream.id,
    instance: current.instance,
    method: request.head.method,
    target: request.head.target,
    status,
    latencyMs: nowTicks - current.startTicks,
    requestBytes: exchange?.requestBytes ?? 0,
    responseBytes: exchange?.responseBytes ?? 0,
    userAgent: request.userAgent,
    remoteIp,
    traceId: current.trace.traceId,
  }
}
