import { readFileSync } from 'node:fs'
import type { Server } from 'node:net'

/** Share of the files that this process may have open; the rest is for the other doors, instances, databases, files and Docker. */
const share = 0.55
/** Between two tellings of one door. */
const quietMs = 60_000

/**
 * Keeps a door from taking every file that this process may have open: what comes beyond is closed at once, what is open goes on (F15).
 * @param onFull told when that begins, at most once a minute
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

/** Of macOS, for Node: its kern.maxfilesperproc is far higher. */
const usual = 20_000
