/** How many starts the mean startup time is made of. */
const startsKept = 10

/** How long requests wait for an instance: the larger of `leastMs` and 3.5 times the mean startup time (run trap 12). */
export class Patience {
  readonly #leastMs: number
  readonly #startupsMs: number[] = []

  constructor(leastMs: number) {
    this.#leastMs = leastMs
  }

  started(tookMs: number): void {
    this.#startupsMs.push(tookMs)
    if (this.#startupsMs.length > startsKept) this.#startupsMs.shift()
  }

  /** @param isStarting while the first start ever is under way nobody knows how long one takes: its startup probe decides (run trap 42) */
  ms(isStarting: boolean): number {
    const count = this.#startupsMs.length
    if (count === 0) return isStarting ? Infinity : this.#leastMs
    return Math.max(this.#leastMs, (3.5 * this.#startupsMs.reduce((sum, ms) => sum + ms, 0)) / count)
  }
}
