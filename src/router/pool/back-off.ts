import type { Clock } from '../../base/clock.ts'

const leastMs = 1000
const mostMs = 60_000

/** When the next instance may start after some that failed: 1 s, then twice as long each time, to 60 s; at once again after one was healthy. */
export class BackOff {
  readonly #clock: Clock
  #failures = 0
  #untilMs = 0
  #error: unknown

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Those that fail while nothing may start, because they began together, count as one. */
  failed(error: unknown): void {
    this.#error = error
    if (this.waitMs > 0) return
    const waitMs = Math.min(mostMs, leastMs * 2 ** this.#failures)
    this.#failures += 1
    this.#untilMs = this.#clock.ticksMs() + waitMs
  }

  reset(): void {
    this.#failures = 0
    this.#untilMs = 0
    this.#error = undefined
  }

  /** How long no instance starts yet; 0 when one may. */
  get waitMs(): number {
    return Math.max(0, this.#untilMs - this.#clock.ticksMs())
  }

  get failures(): number {
    return this.#failures
  }

  /** Why it failed the last time. */
  get error(): unknown {
    return this.#error
  }
}
