/** How long in ms one piece of work may hold the event loop before others get a turn. */
const budgetMs = 4

/** What waits for its next turn, first come first served. */
const waiting: (() => void)[] = []

/**
 * Shares the event loop between long pieces of work. Ask `isOver` between steps, and await `next` when the turn is over. However many pieces of work
 * wait, one of them goes on in each round of the loop: requests that pass the router wait for one turn, not for the turns of all.
 */
export class Turn {
  #began = performance.now()

  get isOver(): boolean {
    return performance.now() - this.#began > budgetMs
  }

  /** Lets other work run, then begins a new turn. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      if (waiting.length === 0) setImmediate(goOn)
      waiting.push(() => {
        this.#began = performance.now()
        resolve()
      })
    })
  }
}

function goOn(): void {
  waiting.shift()?.()
  if (waiting.length > 0) setImmediate(goOn)
}
