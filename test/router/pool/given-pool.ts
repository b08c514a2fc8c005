import { vi } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import type { PoolInstance } from '../../../src/router/pool/instance-slot.ts'
import { createRevisionPool } from '../../../src/router/pool/pool.ts'
import type { PoolEvent, PoolOptions, RevisionPool } from '../../../src/router/pool/revision-pool.ts'
import type { Lease } from '../../../src/router/upstream.ts'

export const never = new AbortController().signal

export interface GivenPool {
  readonly pool: RevisionPool
  /** Ids, in their order; `i1` is the first. */
  readonly started: string[]
  readonly stopped: string[]
  readonly paused: string[]
  readonly resumed: string[]
  readonly events: PoolEvent[]
  /** A lease, after the time that a start takes. */
  acquired(startMs?: number): Promise<Lease>
  /** An instance as an earlier daemon left it. */
  adopted(id: string): PoolInstance
}

/** A pool under vitest's fake timers, whose instances take `startMs` to start and 20 ms to pause and to resume. */
export function givenPool(
  options: Partial<Omit<PoolOptions, 'startInstance'>> & {
    readonly startMs?: number
    /** Instead of waiting `startMs`. */
    readonly startInstance?: (instance: PoolInstance, signal: AbortSignal) => Promise<PoolInstance>
  } = {},
): GivenPool {
  const { startMs = 20, startInstance, ...rest } = options
  const given: Omit<GivenPool, 'pool' | 'acquired' | 'adopted'> = { started: [], stopped: [], paused: [], resumed: [], events: [] }
  const instance = (id: string): PoolInstance => ({
    id,
    address: { host: '127.0.0.1', port: 1 },
    stop: async () => void given.stopped.push(id),
    pause: async () => {
      await sleep(20)
      given.paused.push(id)
    },
    resume: async () => {
      await sleep(20)
      given.resumed.push(id)
    },
  })
  let count = 0
  const pool = createRevisionPool({
    id: 'r',
    concurrency: 1,
    minInstances: 0,
    maxInstances: 10,
    clock: systemClock,
    onEvent: (event) => given.events.push(event),
    startInstance: async (signal) => {
      count += 1
      const made = instance(`i${count}`)
      if (startInstance === undefined) await sleep(startMs)
      else await startInstance(made, signal)
      given.started.push(made.id)
      return made
    },
    ...rest,
  })
  return {
    ...given,
    pool,
    adopted: instance,
    async acquired(ms = startMs) {
      const lease = pool.acquire(never)
      await vi.advanceTimersByTimeAsync(ms)
      return lease
    },
  }
}

/** On the timers that vitest fakes, which those of node:timers/promises are not. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
