import { isGrpc } from './h2/grpc-status.ts'
import type { Field } from './http-head.ts'
import type { Route, Upstream } from './upstream.ts'

/** What a request of native gRPC, or to a port named h2c, goes on as; all others go on as HTTP/1.1. */
export function goesAsHttp2(upstream: Upstream, fields: readonly Field[]): boolean {
  return upstream.protocol === 'h2c' || isGrpc(fields)
}

/** Bytes of a request, and of a response that tells its length. Source: Cloud Run's quotas; HTTP/2 end to end has none. */
export function maxBodyBytes(route: Route, asHttp2: boolean): number {
  return asHttp2 ? Infinity : (route.maxBodyBytes ?? 32 * 2 ** 20)
}
