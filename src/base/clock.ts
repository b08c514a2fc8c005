import { setTimeout as sleep } from 'node:timers/promises'

/** The time as a value that tests may replace. `nowMs` is wall time since 1970, `ticksMs` monotonic. */
export interface Clock {
  nowMs(): number
  ticksMs(): number
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  ticksMs: () => performance.now(),
}

/** Asks `probe` every `everyMs` until it gives a value. When `signal` ends the wait, its reason is thrown. */
export async function until<T>(probe: (signal: AbortSignal) => Promise<T | undefined>, everyMs: number, signal: AbortSignal): Promise<T> {
  for (;;) {
    signal.throwIfAborted()
    const found = await probe(signal)
    if (found !== undefined) return found
    await sleep(everyMs, undefined, { signal }).catch(() => signal.throwIfAborted())
  }
}
