/** Work of one key runs one after another, in the order in which it was asked for; that of other keys runs beside it. */
export class SerialQueues {
  /** What was asked for last of each key; it never rejects. */
  readonly #last = new Map<string, Promise<void>>()

  /** Runs `work` when all that was asked for before under `key` is over, failed or not. Gives its outcome. */
  run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const outcome = this.settled(key).then(work)
    const over = outcome.then(ignore, ignore).then(() => void (this.#last.get(key) === over && this.#last.delete(key)))
    this.#last.set(key, over)
    return outcome
  }

  /** Resolves when all that was asked for so far is over: under `key`, or under any. */
  async settled(key?: string): Promise<void> {
    await (key === undefined ? Promise.all(this.#last.values()) : this.#last.get(key))
  }
}

function ignore(): void {}
