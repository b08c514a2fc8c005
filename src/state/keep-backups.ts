import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../base/clock.ts'
import { diskSpace } from '../base/disk-space.ts'
import type { Log } from '../base/log.ts'
import { listBackups, takeBackup } from './backups.ts'
import type { State } from './state.ts'

const dayMs = 86_400_000
/** The pause in ms after the start, which a copy must not slow down, and between two looks. */
const lookMs = { first: 60_000, next: 3_600_000 }
/** The largest database that is copied while the daemon serves. SQLite copies 600 MB a second and holds the event loop; larger ones are copied at the daemon's end. */
const largestBytes = { whileServing: 8 << 20, atEnd: 512 << 20 }

/** Keeps a copy of the database that is about a day old, for `devcloud fsck --repair`, while the disk has ample room. */
export function keepBackups(state: State, clock: Clock, log: Log): AsyncDisposable {
  const over = new AbortController()
  let hasLooked = false
  const look = (limitBytes: number) =>
    backUpWhenDue(state, clock, limitBytes).catch((error: unknown) => log.warn({ err: error }, 'no copy of the state was made'))
  const keeping = (async () => {
    for (let waitMs = lookMs.first; ; waitMs = lookMs.next) {
      await sleep(waitMs, undefined, { signal: over.signal, ref: false }).catch(() => {})
      if (over.signal.aborted) return
      hasLooked = true
      await look(largestBytes.whileServing)
    }
  })()
  return {
    async [Symbol.asyncDispose]() {
      over.abort()
      await keeping
      if (hasLooked) await look(largestBytes.atEnd)
    },
  }
}

/** Makes a copy when the newest copy is a day old, or a day ahead because the clock was set back. */
export async function backUpWhenDue(state: State, clock: Clock, limitBytes: number): Promise<void> {
  const [newest] = listBackups(state.directory)
  const nowMs = clock.nowMs()
  if (newest !== undefined && Math.abs(nowMs - newest.takenMs) < dayMs) return
  const pragma = (name: string) => Number(state.db.prepare(`PRAGMA ${name}`).get()?.[name] ?? 0)
  const sizeBytes = pragma('page_count') * pragma('page_size')
  if (state.disk.isScarce || sizeBytes > limitBytes || diskSpace(state.directory).freeBytes < sizeBytes * 8) return
  while (state.db.isTransaction) await setImmediate() // the writes of this turn commit first
  takeBackup(state.db, state.directory, nowMs)
}
