import { setTimeout as sleep } from 'node:timers/promises'

/** Names whose servers shall run. One that ends by itself is started again, at most once in 5 s. */
export interface Revival {
  /** Its server runs now. */
  add(name: string): void
  /** It may end now. */
  delete(name: string): void
  has(name: string): boolean
  clear(): void
}

const pauseMs = 5000

/**
 * @param watch calls `onEnd` once when the server ends; what it answers stops that
 * @param revive starts a server again; rejects never. Where it fails the server is left until it is opened next
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
