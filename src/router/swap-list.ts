/** What a `SwapList` holds. */
export interface Listed {
  /** Index in the list, -1 outside of one. Only the list writes it. */
  place: number
}

/**
 * Items that come and go by thousands a second, in no order. An array and not a `Set`: V8 gives a set a new table again and again, and each dead
 * table that one full collection has moved to the old generation keeps all later tables, with what is in them, from being collected young.
 */
export class SwapList<T extends Listed> {
  readonly #items: T[] = []

  get size(): number {
    return this.#items.length
  }

  add(item: T): void {
    item.place = this.#items.push(item) - 1
  }

  /** The last item takes the place of `item`. @returns false when `item` is not in the list */
  delete(item: T): boolean {
    const { place } = item
    if (this.#items[place] !== item) return false
    const last = this.#items.pop() as T
    if (last !== item) {
      this.#items[place] = last
      last.place = place
    }
    item.place = -1
    return true
  }

  /** From the last to the first, so that items may leave meanwhile: each that stays is given at least once. */
  *[Symbol.iterator](): Generator<T> {
    for (let at = this.#items.length - 1; at >= 0; at -= 1) {
      const item = this.#items[at]
      if (item !== undefined) yield item
    }
  }
}
