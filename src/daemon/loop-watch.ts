import { performance } from 'node:perf_hooks'
import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { Log } from '../base/log.ts'
import type { WatcherData } from './loop-watcher.ts'

/** How often the main thread says that it goes on, while it is watched. */
const beatMs = 50
/** How often the daemon looks whether it works, and what share of the time is work. */
const lookMs = 1000
const workShare = 0.02
/** Idle for so long, it is watched no more: a thread takes 10 MB. */
const idleMs = 60_000

/**
 * While the daemon works, a thread of its own watches the event loop: what holds it for more than 200 ms is written to the log with its stack
 * while it does, and `health.sock` answers meanwhile. See loop-watcher.ts.
 */
export function watchLoop(options: { readonly logPath: string; readonly healthPath: string; readonly log: Log }): Disposable {
  const { logPath, healthPath, log } = options
  const beat = new BigInt64Array(new SharedArrayBuffer(8))
  const tick = () => void Atomics.store(beat, 0, process.hrtime.bigint())
  let worker: Worker | undefined
  let beating: NodeJS.Timeout | undefined
  let idleSinceMs = performance.now()

  const start = () => {
    tick()
    beating = setInterval(tick, beatMs).unref()
    const file = import.meta.url.endsWith('.ts') ? './loop-watcher.ts' : './loop-watcher.js'
    worker = new Worker(fileURLToPath(import.meta.resolve(file)), {
      workerData: { beat, logPath, healthPath, beatMs } satisfies WatcherData,
      execArgv: process.execArgv.filter((flag) => flag !== '--expose-gc'),
      resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 2 },
    })
    worker.unref()
    worker.on('error', (error) => log.warn({ err: error }, 'the watcher of the event loop ended'))
  }
  const stop = () => {
    clearInterval(beating)
    void worker?.terminate()
    worker = undefined
    rmSync(healthPath, { force: true })
  }
  let last = performance.eventLoopUtilization()
  const timer = setInterval(() => {
    const { utilization } = performance.eventLoopUtilization(last)
    last = performance.eventLoopUtilization()
    if (utilization > workShare) {
      idleSinceMs = performance.now()
      if (worker === undefined) start()
    } else if (worker !== undefined && performance.now() - idleSinceMs > idleMs) stop()
  }, lookMs).unref()
  return {
    [Symbol.dispose]() {
      clearInterval(timer)
      stop()
    },
  }
}
