import type { Lease } from '../upstream.ts'

export interface WaitingRequest {
  /** The instance that its session is bound to. */
  readonly preferred: string | undefined
  /** Ticks at which it began to wait. */
  readonly sinceMs: number
  /** Waits as long as its caller wants: the health check of a deployment. */
  readonly isPatient: boolean
  grant(lease: Lease): void
  refuse(error: unknown): void
}

/** Requests that wait for an instance, first come first served. One that goes away leaves no trace. */
export class WaitingRequests {
  readonly #all = new Set<WaitingRequest>()
  readonly #onLeave: () => void
  /** Time in ms that this machine slept. It does not count toward a request's waiting time. */
  #sleptMs = 0

  constructor(onLeave: () => void) {
    this.#onLeave = onLeave
  }

  get size(): number {
    return this.#all.size
  }

  [Symbol.iterator](): Iterator<WaitingRequest> {
    return this.#all.values()
  }

  /** Resolves with what it is granted. When `signal` ends the wait, its reason is thrown. */
  add(
    of: { readonly preferred?: string | undefined; readonly nowMs: number; readonly isPatient: boolean },
    signal: AbortSignal,
  ): Promise<Lease> {
    const { promise, resolve, reject } = Promise.withResolvers<Lease>()
    const leave = () => {
      this.#all.delete(request)
      signal.removeEventListener('abort', onAbort)
      this.#onLeave()
    }
    const request: WaitingRequest = {
      preferred: of.preferred,
      sinceMs: of.nowMs - this.#sleptMs,
      isPatient: of.isPatient,
      grant(lease) {
        leave()
        resolve(lease)
      },
      refuse(error) {
        leave()
        reject(error)
      },
    }
    const onAbort = () => request.refuse(signal.reason)
    if (signal.aborted) return Promise.reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    this.#all.add(request)
    return promise
  }

  slept(ms: number): void {
    this.#sleptMs += ms
  }

  /** How long `request` has waited, in ms of this machine being awake. */
  ageMs(request: WaitingRequest, nowMs: number): number {
    return nowMs - this.#sleptMs - request.sinceMs
  }

  refuseAll(error: unknown): void {
    for (const request of this.#all) request.refuse(error)
  }
}
