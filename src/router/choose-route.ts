import type { RequestHead } from './http-head.ts'
import { notFoundPage } from './pages.ts'
import type { FoundRoute, RouteChoice, Routes } from './routes.ts'
import { readSession } from './session-affinity.ts'

/** Where a request goes, or what the front end answers itself. */
export type Choice = RouteChoice | { readonly kind: 'answer'; readonly status: number; readonly body: string; readonly html: boolean }

/** @param host lower case, without port @param lot from 0 to below 1 */
export function chooseRoute(routes: Routes, lot: () => number, host: string, head: Pick<RequestHead, 'target' | 'fields'>): Choice {
  const { target } = head
  const found = routes.find(host)
  if (found === undefined) {
    const isOurs = /(^|\.)localhost$|^127\.|^\[?::1|\.run\.app$/.test(host)
    if (!isOurs) return { kind: 'answer', status: 421, body: `No service answers for "${host}" here.`, html: false }
    return { kind: 'answer', status: 404, body: notFoundPage(target, routes.names), html: true }
  }
  if (target === '/healthz' || target.startsWith('/healthz?'))
    return { kind: 'answer', status: 404, body: notFoundPage(target, []), html: true }
  return (found.hasAffinity ? boundChoice(found, head) : undefined) ?? draw(found, lot)
}

/** A client's session comes before the split of the traffic, while its revision takes part in it and binds clients. */
function boundChoice({ targets }: FoundRoute, { fields }: Pick<RequestHead, 'fields'>): RouteChoice | undefined {
  const session = readSession(fields)
  const bound = targets.find(({ choice: { upstream } }) => upstream.id === session?.revision && upstream.sessionAffinity === true)
  return bound && { ...bound.choice, preferred: session?.instance }
}

/** By lot, with the percents as weights. */
function draw({ targets }: FoundRoute, lot: () => number): RouteChoice {
  const [first] = targets
  if (targets.length === 1) return first.choice
  let left = lot() * 100
  for (const target of targets) {
    left -= target.percent
    if (left < 0) return target.choice
  }
  return first.choice
}
