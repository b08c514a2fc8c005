import { performance, type EventLoopUtilization } from 'node:perf_hooks'

/** How often the daemon looks whether it idles, and what share of the time it may work to count as idle. */
const lookMs = 5000
const idleShare = 0.05

/**
 * Gives memory back once work is over: V8 collects when it allocates, which a daemon that idles does not. One collection (0.1 s) after each
 * busy time, never during one. Needs node's flag --expose-gc; without it nothing happens.
 */
export function trimWhenIdle(): Disposable {
  const { gc } = globalThis
  if (gc === undefined) return { [Symbol.dispose]() {} }
  let last: EventLoopUtilization = performance.eventLoopUtilization()
  let hasWorked = true
  const timer = setInterval(() => {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, last)
    last = now
    if (utilization > idleShare) hasWorked = true
    else if (hasWorked) {
      gc({ type: 'major', execution: 'sync', flavor: 'last-resort' })
      hasWorked = false
      last = performance.eventLoopUtilization() // the collection is no work
    }
  }, lookMs)
  timer.unref()
  return { [Symbol.dispose]: () => clearInterval(timer) }
}
