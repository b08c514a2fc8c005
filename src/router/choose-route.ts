import { notFoundPage } from './pages.ts'
import type { Routes } from './routes.ts'
import type { Route, RouteTarget, Upstream } from './upstream.ts'

/** Where a request goes, or what the front end answers itself. */
export type Choice =
  | { readonly kind: 'route'; readonly route: Route; readonly targets: readonly RouteTarget[]; readonly upstream: Upstream }
  | { readonly kind: 'answer'; readonly status: number; readonly body: string; readonly html: boolean }

/** @param host lower case, without port @param target the path with its query */
export function chooseRoute(routes: Routes, lot: () => number, host: string, target: string): Choice {
  const found = routes.find(host, lot)
  if (found === undefined) {
    const isOurs = /(^|\.)localhost$|^127\.|^\[?::1|\.run\.app$/.test(host)
    if (!isOurs) return { kind: 'answer', status: 421, body: `No service answers for "${host}" here.`, html: false }
    return { kind: 'answer', status: 404, body: notFoundPage(target, routes.names), html: true }
  }
  if (target === '/healthz' || target.startsWith('/healthz?'))
    return { kind: 'answer', status: 404, body: notFoundPage(target, []), html: true }
  return { kind: 'route', route: found.route, targets: found.targets, upstream: found.upstream }
}
