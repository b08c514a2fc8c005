import type { Route, RouteTarget, Upstream } from './upstream.ts'

interface Entry {
  readonly route: Route
  /** Those that take a share, made once a route. */
  readonly targets: readonly RouteTarget[]
  /** Whether a client may be bound to one of them. */
  readonly hasAffinity: boolean
}

export interface FoundRoute extends Entry {
  /** The target of this request: by its tag, or by lot with the percents as weights. */
  readonly upstream: Upstream
}

/** Where requests for a host go. */
export class Routes {
  readonly #routes = new Map<string, Route>()
  /** Made anew by the first request after a change: a thousand services that come at once are read once. */
  #hosts: Map<string, Entry> | undefined

  set(route: Route): void {
    this.#routes.set(`${route.project}/${route.service}`, route)
    this.#hosts = undefined
  }

  remove(project: string, service: string): void {
    this.#routes.delete(`${project}/${service}`)
    this.#hosts = undefined
  }

  /** The route of `host`, and the targets that it leads to. */
  find(host: string, lot: () => number): FoundRoute | undefined {
    this.#hosts ??= this.#index()
    const found = this.#hosts.get(host)
    if (found === undefined) return undefined
    const { route, targets, hasAffinity } = found
    const first = targets[0]
    if (first === undefined) return undefined
    return { route, targets, hasAffinity, upstream: targets.length === 1 ? first.upstream : draw(targets, first, lot() * 100) }
  }

  /** The hosts that a person would type. */
  get names(): string[] {
    return [...this.#routes.values()].flatMap((route) => route.hosts.filter((host) => host.endsWith('.localhost')).slice(0, 1))
  }

  /** Two projects may have a service of one name: the first one keeps a host that both claim. */
  #index(): Map<string, Entry> {
    const hosts = new Map<string, Entry>()
    for (const route of this.#routes.values()) {
      const shared = toEntry(
        route,
        route.targets.filter((target) => target.percent > 0),
      )
      for (const host of route.hosts) if (!hosts.has(host)) hosts.set(host, shared)
      for (const target of route.targets)
        for (const host of target.hosts ?? []) if (!hosts.has(host)) hosts.set(host, toEntry(route, [target]))
    }
    return hosts
  }
}

function toEntry(route: Route, targets: readonly RouteTarget[]): Entry {
  return { route, targets, hasAffinity: targets.some(({ upstream }) => upstream.sessionAffinity === true) }
}

/** @param lot from 0 to below 100 */
function draw(targets: readonly RouteTarget[], fallback: RouteTarget, lot: number): Upstream {
  let left = lot
  for (const target of targets) {
    left -= target.percent
    if (left < 0) return target.upstream
  }
  return fallback.upstream
}
