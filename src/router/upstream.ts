import type { Socket } from 'node:net'

/** What the router sends requests to: the instances of one revision. It knows no container and no Google message. */
export interface Upstream {
  /** The revision's id, for the request log. */
  readonly id: string
  /** What its instances speak: HTTP/1.1, or HTTP/2 with prior knowledge on a port named h2c. Default `http1`. */
  readonly protocol?: 'http1' | 'h2c'
  /** How long a request may take as a whole, queue and cold start included. Default 300 s, as on Cloud Run. */
  readonly timeoutMs?: number
  /** Binds a client to an instance by a cookie, best effort. */
  readonly sessionAffinity?: boolean
  /**
   * An instance with room for one more request; waits while one starts.
   * @param preferred the instance that a session is bound to: taken when it has room, else another one is
   * @throws CloudError NO_INSTANCE after the pending time: RESOURCE_EXHAUSTED at the maximum of instances (429), UNAVAILABLE below it (500);
   * else why an instance could not start
   */
  acquire(signal: AbortSignal, preferred?: string): Promise<Lease>
  /** The same when there is room at once; undefined when one would have to wait. Spares the hot path a promise. */
  tryAcquire?(preferred?: string): Lease | undefined
}

export interface Lease {
  /** The instance's id, for the request log. */
  readonly instance: string
  readonly address: Address
  /** Call once, when the request and its response are over. */
  release(): void
  /** Set by whoever has the lease: called when the instance is gone, whose connections may then break late or never. */
  onLost?: (() => void) | undefined
  /** The connection to the instance broke before it answered: it gets no new request until it takes connections again. */
  broken?(): void
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
  /**
   * The most that a request of HTTP/1 may carry to an instance that speaks it, and a response that tells its length. Default 32 MiB, as on
   * Cloud Run.
   */
  readonly maxBodyBytes?: number
  /** Percents sum to 100. A target of 0 percent is reached by its tag's hosts alone. */
  readonly targets: readonly RouteTarget[]
  /** Asked before an instance is: who may call. Absent when everybody may. */
  readonly gate?: Gate
}

/** Decides whether a request is let in. Synchronous where it can be: it is on the hot path. */
export type Gate = (request: GateRequest) => Admission | Promise<Admission>

export interface GateRequest {
  /** Values of the headers, empty when absent. */
  readonly authorization: string
  readonly serverlessAuthorization: string
  /** The path with its query, for the error page. */
  readonly target: string
  /** Whether it came from the internet's side (the front port) or from an instance through the gateway. */
  readonly origin: 'front' | 'instance'
}

/**
 * `replace` has header names in lower case with the values that the application sees instead. A refusal that `isUnlogged` writes no request
 * log: the host is as good as unknown (ingress).
 */
export type Admission =
  | { readonly kind: 'pass'; readonly replace?: Readonly<Record<string, string>> }
  | {
      readonly kind: 'refuse'
      readonly status: number
      readonly html: string
      readonly wwwAuthenticate?: string
      readonly isUnlogged?: boolean
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
  accept(socket: Socket, scheme: 'http' | 'https', ip: string): void
}
