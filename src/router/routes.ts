import type { Route, RouteTarget, Upstream } from './upstream.ts'

/** Where a request goes. */
export interface RouteChoice {
  readonly kind: 'route'
  readonly route: Route
  readonly upstream: Upstream
  /** The instance of `upstream` that the client is bound to. */
  readonly preferred: string | undefined
  /** How long the request may take as a whole. */
  readonly timeoutMs: number
}

interface Target {
  readonly percent: number
  readonly choice: RouteChoice
}

/** What a host leads to, made once a route. */
export interface FoundRoute {
  /** Those that take a share. */
  readonly targets: readonly [Target, ...Target[]]
  /** Whether a client may be bound to one of them. */
  readonly hasAffinity: boolean
}

/** Cloud Run's default. */
const timeoutMs = 300_000

/** Where requests for a host go. */
export class Routes {
  readonly #routes = new Map<string, Route>()
  /** Made anew by the first request after a change: a thousand services that come at once are read once. */
  #hosts: Map<string, FoundRoute | undefined> | undefined

  set(route: Route): void {
    this.#routes.set(`${route.project}/${route.service}`, route)
    this.#hosts = undefined
  }

  remove(project: string, service: string): void {
    this.#routes.delete(`${project}/${service}`)
    this.#hosts = undefined
  }

  /** What `host` leads to, where a target of it takes a share. */
  find(host: string): FoundRoute | undefined {
    this.#hosts ??= this.#index()
    return this.#hosts.get(host)
  }

  /** The hosts that a person would type. */
  get names(): string[] {
    return [...this.#routes.values()].flatMap((route) => route.hosts.filter((host) => host.endsWith('.localhost')).slice(0, 1))
  }

  /** Two projects may have a service of one name: the first one keeps a host that both claim. */
  #index(): Map<string, FoundRoute | undefined> {
    const hosts = new Map<string, FoundRoute | undefined>()
    for (const route of this.#routes.values()) {
      const shared = toFound(
        route,
        route.targets.filter((target) => target.percent > 0),
      )
      for (const host of route.hosts) if (!hosts.has(host)) hosts.set(host, shared)
      for (const target of route.targets)
        for (const host of target.hosts ?? []) if (!hosts.has(host)) hosts.set(host, toFound(route, [target]))
    }
    return hosts
  }
}

/** Undefined when nothing takes a share. */
function toFound(route: Route, targets: readonly RouteTarget[]): FoundRoute | undefined {
  const [first, ...others] = targets.map(({ percent, upstream }): Target => ({ percent, choice: toChoice(route, upstream) }))
  const hasAffinity = targets.some(({ upstream }) => upstream.sessionAffinity === true)
  return first && { targets: [first, ...others], hasAffinity }
}

function toChoice(route: Route, upstream: Upstream): RouteChoice {
  return { kind: 'route', route, upstream, preferred: undefined, timeoutMs: upstream.timeoutMs ?? timeoutMs }
}
