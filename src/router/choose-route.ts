import type { RequestHead } from './http-head.ts'
import { notFoundPage } from './pages.ts'
import type { FoundRoute, Routes } from './routes.ts'
import { readSession } from './session-affinity.ts'
import type { Route, Upstream } from './upstream.ts'

/** Where a request goes, or what the front end answers itself. */
export type Choice = RouteChoice | { readonly kind: 'answer'; readonly status: number; readonly body: string; readonly html: boolean }

export interface RouteChoice {
  readonly kind: 'route'
  readonly route: Route
  readonly upstream: Upstream
  /** The instance of `upstream` that the client is bound to. */
  readonly preferred: string | undefined
  /** How long the request may take as a whole. */
  readonly timeoutMs: number
}

/** Cloud Run's default. */
const timeoutMs = 300_000

/** @param host lower case, without port */
export function chooseRoute(routes: Routes, lot: () => number, host: string, head: Pick<RequestHead, 'target' | 'fields'>): Choice {
  const { target } = head
  const found = routes.find(host, lot)
  if (found === undefined) {
    const isOurs = /(^|\.)localhost$|^127\.|^\[?::1|\.run\.app$/.test(host)
    if (!isOurs) return { kind: 'answer', status: 421, body: `No service answers for "${host}" here.`, html: false }
    return { kind: 'answer', status: 404, body: notFoundPage(target, routes.names), html: true }
  }
  if (target === '/healthz' || target.startsWith('/healthz?'))
    return { kind: 'answer', status: 404, body: notFoundPage(target, []), html: true }
  return (found.hasAffinity ? boundChoice(found, head) : undefined) ?? toChoice(found.route, found.upstream)
}

/** A client's session comes before the split of the traffic, while its revision takes part in it and binds clients. */
function boundChoice({ route, targets }: FoundRoute, { fields }: Pick<RequestHead, 'fields'>): RouteChoice | undefined {
  const session = readSession(fields)
  const bound = targets.find(({ upstream }) => upstream.id === session?.revision && upstream.sessionAffinity === true)
  return bound && toChoice(route, bound.upstream, session?.instance)
}

function toChoice(route: Route, upstream: Upstream, preferred?: string): RouteChoice {
  return { kind: 'route', route, upstream, preferred, timeoutMs: upstream.timeoutMs ?? timeoutMs }
}
