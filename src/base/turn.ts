import { setImmediate as nextTurn } from 'node:timers/promises'

/** What one piece of work may take of the event loop before it gives way, in ms: well below the 20 that no request may hold it. */
const budgetMs = 8

/** The share of the event loop that one long piece of work has. Ask `isOver` between steps, and await `next` when it is. */
export class Turn {
  #began = performance.now()

  get isOver(): boolean {
    return performance.now() - this.#began > budgetMs
  }

  /** Lets others run, then begins anew. */
  async next(): Promise<void> {
    await nextTurn()
    this.#began = performance.now()
  }
}
