import { setTimeout as sleep } from 'node:timers/promises'

/** The time, as a value that tests replace. `nowMs` is wall time in ms since 1970; `ticksMs` is a monotonic count of ms. */
export interface Clock {
  nowMs(): number
  ticksMs(): number
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  ticksMs: () => performance.now(),
}

/** Calls `probe` every `everyMs` until `probe` gives a value. @throws the reason of `signal` when `signal` ends the wait */
export async function until<T>(probe: (signal: AbortSignal) => Promise<T | undefined>, everyMs: number, signal: AbortSignal): Promise<T> {
  for (;;) {
    signal.throwIfAborted()
    const found = await probe(signal)
    if (found !== undefined) return found
    await sleep(everyMs, undefined, { signal }).catch(() => signal.throwIfAborted())
  }
}
