import type { DatabaseSync } from 'node:sqlite'
import type { Clock } from '../base/clock.ts'

/** How far ahead generations are reserved on disk, in microseconds. */
const reserveUs = 60_000_000

/** The largest time that a generation takes from the clock: the year 2220 leaves enough numbers below 2^53. Larger numbers lose digits. */
const clockLimitUs = 2 ** 53 - 2 ** 50

/** Gives numbers that only grow, over restarts and steps of the clock too: the clock's microseconds, or the last number plus one. */
export class Generations {
  readonly #clock: Clock
  readonly #save
  #last: number
  #reserved: number

  constructor(db: DatabaseSync, clock: Clock) {
    const row = db.prepare("SELECT value FROM meta WHERE key = 'objects.generation'").get()
    this.#save = db.prepare("INSERT INTO meta VALUES ('objects.generation', ?) ON CONFLICT DO UPDATE SET value = excluded.value")
    this.#clock = clock
    this.#last = Number(row?.['value'] ?? 0)
    this.#reserved = 0
  }

  /** The next generation. Call within a transaction; when the transaction is undone, the number stays unused. */
  next(): number {
    this.#last = Math.max(this.#last + 1, Math.min(Math.round(this.#clock.nowMs() * 1000), clockLimitUs))
    if (this.#last >= this.#reserved) {
      this.#reserved = this.#last + reserveUs
      this.#save.run(String(this.#reserved))
    }
    return this.#last
  }
}
