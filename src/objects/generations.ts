import type { DatabaseSync } from 'node:sqlite'
import type { Clock } from '../base/clock.ts'

/** How far ahead of use generations are reserved on disk, in microseconds. */
const reserveUs = 60_000_000

/** The clock's part: a clock of the year 2220 leaves numbers enough below 2^53, past which they would not be told apart. */
const clockLimitUs = 2 ** 53 - 2 ** 50

/** Numbers that only grow, over restarts and clocks set back too: microseconds of the clock where it runs ahead. */
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

  /** Within a transaction. When that is undone after all, the number stays unused. */
  next(): number {
    this.#last = Math.max(this.#last + 1, Math.min(Math.round(this.#clock.nowMs() * 1000), clockLimitUs))
    if (this.#last >= this.#reserved) {
      this.#reserved = this.#last + reserveUs
      this.#save.run(String(this.#reserved))
    }
    return this.#last
  }
}
