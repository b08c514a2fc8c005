import type { Socket } from 'node:net'

/** What the router sends requests to: the instances of one revision. It knows no container and no Google message. */
export interface Upstream {
  /** The revision's id, for the request log. */
  readonly id: string
  /**
   * An instance with room for one more request; waits while one starts.
   * @throws CloudError RESOURCE_EXHAUSTED after the pending time at max instances, UNAVAILABLE when an instance could not start
   */
  acquire(signal: AbortSignal): Promise<Lease>
  /** The same when there is room at once; undefined when one would have to wait. Spares the hot path a promise. */
  tryAcquire?(): Lease | undefined
}

export interface Lease {
  /** The instance's id, for the request log. */
  readonly instance: string
  readonly address: Address
  /** Call once, when the request and its response are over. */
  release(): void
}

export interface Address {
  readonly host: string
  readonly port: number
}

/** One service as the router sees it. */
export interface Route {
  /** The service's id, for the request log and error pages. */
  readonly service: string
  readonly project: string
  /** Exact host names, without port, lower case: `guestbook.localhost`, `guestbook-x7k2-uc.a.run.app`. */
  readonly hosts: readonly string[]
  /** The whole request, queue and cold start included. */
  readonly timeoutMs: number
  /** Percents sum to 100. A target of 0 percent is reached by its tag's hosts alone. */
  readonly targets: readonly RouteTarget[]
}

export interface RouteTarget {
  readonly percent: number
  readonly upstream: Upstream
  /** Hosts that reach this target alone: `canary---guestbook.localhost`. */
  readonly hosts?: readonly string[]
}

export interface Router extends AsyncDisposable {
  /** The port of the printed URL: 80, or one that is free. The same port takes http and TLS, told apart by the first byte. */
  readonly port: number
  /** Adds, or replaces the route of the same project and service at once: requests under way finish where they are. */
  setRoute(route: Route): void
  removeRoute(project: string, service: string): void
  /** Takes a connection that came another way: from an instance, through the gateway, its TLS already ended. */
  accept(socket: Socket, scheme: 'http' | 'https'): void
}

/** One finished request, as Cloud Run's request log has it. */
export interface RequestRecord {
  readonly timeMs: number
  readonly project: string
  readonly service: string
  readonly revision: string
  readonly instance: string
  readonly method: string
  /** As the client sent it. */
  readonly target: string
  readonly status: number
  readonly latencyMs: number
  readonly requestBytes: number
  readonly responseBytes: number
  readonly userAgent: string
  readonly remoteIp: string
  /** 32 hex digits. */
  readonly traceId: string
}
