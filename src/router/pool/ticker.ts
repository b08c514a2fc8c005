/** A timer that comes so much too late tells of a machine that slept. */
const sleepMs = 3000

/** Looks again and again, while there is something to look at, without keeping the process alive. */
export class Ticker {
  readonly #everyMs: number
  readonly #nowMs: () => number
  readonly #onTick: (sleptMs: number) => void
  #timer: NodeJS.Timeout | undefined
  #tickedMs = 0

  /** @param onTick told how long the machine slept since the last time: 0 mostly */
  constructor(everyMs: number, nowMs: () => number, onTick: (sleptMs: number) => void) {
    this.#everyMs = everyMs
    this.#nowMs = nowMs
    this.#onTick = onTick
  }

  /** Does nothing when it runs. */
  start(): void {
    if (this.#timer !== undefined) return
    this.#tickedMs = this.#nowMs()
    this.#timer = setInterval(() => this.#tick(), this.#everyMs)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #tick(): void {
    const now = this.#nowMs()
    const lateMs = now - this.#tickedMs - this.#everyMs
    this.#tickedMs = now
    this.#onTick(lateMs > sleepMs ? lateMs : 0)
  }
}
