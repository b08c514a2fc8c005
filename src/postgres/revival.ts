import { setTimeout as sleep } from 'node:timers/promises'

/** Restarts servers that end by themselves, each at most once in 5 s. */
export interface Revival {
  /** Call when the server of `name` runs. */
  add(name: string): void
  /** Call before the server of `name` is stopped on purpose. */
  delete(name: string): void
  has(name: string): boolean
  clear(): void
}

const pauseMs = 5000

/**
 * @param watch calls `onEnd` once when the server ends, and gives a function that stops the watch
 * @param revive starts a server again and never rejects. A server that does not start is left until its next `open`
 */
export function openRevival(watch: (name: string, onEnd: () => void) => () => void, revive: (name: string) => Promise<void>): Revival {
  const wanted = new Set<string>()
  const watches = new Map<string, () => void>()
  const lastMs = new Map<string, number>()
  const ended = async (name: string) => {
    watches.delete(name)
    const waitMs = (lastMs.get(name) ?? -pauseMs) + pauseMs - performance.now()
    await sleep(Math.max(0, waitMs), undefined, { ref: false })
    if (!wanted.has(name)) return
    lastMs.set(name, performance.now())
    await revive(name)
  }
  const remove = (name: string) => {
    wanted.delete(name)
    watches.get(name)?.()
    watches.delete(name)
  }
  return {
    add(name) {
      wanted.add(name)
      if (!watches.has(name))
        watches.set(
          name,
          watch(name, () => void ended(name)),
        )
    },
    delete: remove,
    has: (name) => wanted.has(name),
    clear() {
      for (const name of wanted) remove(name)
    },
  }
}
