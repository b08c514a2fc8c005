import { availableParallelism } from 'node:os'

/** How many tasks this machine runs at a time, of all executions together. Most tasks wait for a database or a network. */
export const machineSlots = Math.max(4, availableParallelism() * 4)

/** A counting semaphore. Who finds it empty is told when to ask again. */
export interface Slots {
  /** Takes one when there is one. */
  tryTake(): boolean
  /** Takes one in any case: for what runs already. */
  take(): void
  /** Gives one back, and tells those who wait, longest first. */
  release(): void
  /** Calls `retry` once, when one is given back. */
  whenFree(retry: () => void): void
}

export function openSlots(count: number): Slots {
  let free = count
  let waiting = new Set<() => void>()
  return {
    tryTake: () => free > 0 && --free >= 0,
    take: () => void free--,
    release() {
      free++
      const told = waiting
      waiting = new Set()
      for (const retry of told) retry()
    },
    whenFree: (retry) => void waiting.add(retry),
  }
}
