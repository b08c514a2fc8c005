import type { Engine } from './engine.ts'

/** How many containers start at the same time: two to three fill two cores (docs/reliability.md, measures). */
const startsAtOnce = 3

/** An engine that starts at most `most` containers at a time, in the order of the calls. Without a limit, a hundred starts at once would all time out. */
export function limitStarts(engine: Engine, most = startsAtOnce): Engine {
  const waiting = new Set<() => void>()
  let starting = 0
  const enter = (signal: AbortSignal): Promise<void> => {
    signal.throwIfAborted()
    if (starting < most) {
      starting += 1
      return Promise.resolve()
    }
    return new Promise((resolve, reject) => {
      const leave = () => {
        waiting.delete(grant)
        signal.removeEventListener('abort', onAbort)
      }
      const grant = () => {
        leave()
        resolve()
      }
      const onAbort = () => {
        leave()
        reject(signal.reason as Error)
      }
      signal.addEventListener('abort', onAbort, { once: true })
      waiting.add(grant)
    })
  }
  const exit = () => {
    const [next] = waiting
    if (next === undefined) starting -= 1
    else next()
  }
  return {
    ...engine,
    async start(spec, signal) {
      await enter(signal)
      try {
        return await engine.start(spec, signal)
      } finally {
        exit()
      }
    },
  }
}
