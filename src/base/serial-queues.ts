/** Runs the work of one key one after another, in the order of the calls. The work of different keys runs at the same time. */
export class SerialQueues {
  /** The last work of each key, as a promise that never rejects. */
  readonly #last = new Map<string, Promise<void>>()

  /** Runs `work` when all earlier work of `key` is over, failed or not. Gives the outcome of `work`. */
  run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const outcome = this.settled(key).then(work)
    const over = outcome.then(ignore, ignore).then(() => void (this.#last.get(key) === over && this.#last.delete(key)))
    this.#last.set(key, over)
    return outcome
  }

  /** Resolves when all work that was asked for so far is over: the work of `key`, or of every key. */
  async settled(key?: string): Promise<void> {
    await (key === undefined ? Promise.all(this.#last.values()) : this.#last.get(key))
  }
}

function ignore(): void {}
