import { setImmediate as nextTurn } from 'node:timers/promises'

/** How long in ms one piece of work may hold the event loop before others get a turn. No request may hold the loop for more than 20 ms. */
const budgetMs = 8

/** Shares the event loop between long pieces of work. Ask `isOver` between steps, and await `next` when the turn is over. */
export class Turn {
  #began = performance.now()

  get isOver(): boolean {
    return performance.now() - this.#began > budgetMs
  }

  /** Lets other work run, then begins a new turn. */
  async next(): Promise<void> {
    await nextTurn()
    this.#began = performance.now()
  }
}
