import type { InstanceStarts } from './instance-starts.ts'
import { noInstance } from './pool-errors.ts'
import type { PoolOptions } from './revision-pool.ts'
import type { WaitingRequests } from './waiting-requests.ts'

/** Which of the requests that wait are refused, and with what. */
export class Refusals {
  readonly #options: PoolOptions
  readonly #waiting: WaitingRequests
  readonly #starts: InstanceStarts

  constructor(options: PoolOptions, waiting: WaitingRequests, starts: InstanceStarts) {
    this.#options = options
    this.#waiting = waiting
    this.#starts = starts
  }

  /** Those that have waited too long. @param isAtMost no more instances may start */
  refuseLate(isAtMost: boolean): void {
    const nowMs = this.#options.clock.ticksMs()
    const patienceMs = this.#starts.patience.ms(this.#starts.underWay > 0)
    for (const request of this.#waiting) {
      if (request.isPatient) continue
      if (this.#waiting.ageMs(request, nowMs) < patienceMs) return
      const code = isAtMost ? 'RESOURCE_EXHAUSTED' : 'UNAVAILABLE'
      this.#options.onEvent?.({ kind: 'refused', code })
      request.refuse(noInstance(this.#options.id, code))
    }
  }

  /** No instance runs, and none may start before the patience of these is over: they are told at once why. */
  refuseHopeless(): void {
    const nowMs = this.#options.clock.ticksMs()
    const { backOff, patience } = this.#starts
    for (const request of this.#waiting) {
      if (backOff.waitMs > patience.ms(false) - this.#waiting.ageMs(request, nowMs)) request.refuse(backOff.error)
    }
  }
}
