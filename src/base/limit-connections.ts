import { readFileSync } from 'node:fs'
import type { Server } from 'node:net'

/** The share of the process's open files that one door may use. The rest is for other doors, instances, databases, files and Docker. */
const share = 0.55
/** The least time in ms between two calls of one door's `onFull`. */
const quietMs = 60_000

/**
 * Limits the connections of one door, so that the door does not use every file that this process may have open. A connection beyond the limit is
 * closed at once; open connections go on (F15).
 * @param onFull called when the limit is reached, at most once a minute
 */
export function limitConnections(server: Server, onFull: (most: number) => void): void {
  const most = Math.floor(openFilesLimit() * share)
  server.maxConnections = most
  let lastMs = -quietMs
  server.on('drop', () => {
    if (performance.now() - lastMs < quietMs) return
    lastMs = performance.now()
    onFull(most)
  })
}

/** Node raises its soft limit to the hard one when it starts. `Max open files  20000  20000  files` */
function openFilesLimit(): number {
  try {
    return Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? usual)
  } catch {
    return usual
  }
}

/** The limit that Node gets on macOS; kern.maxfilesperproc is far higher. */
const usual = 20_000
