import { openSync } from 'node:fs'
import pino from 'pino'

export type Log = pino.Logger

/**
 * Writes the daemon's diagnostics as NDJSON to `path`; without `path` nothing is written. The file is opened synchronously, so that a daemon that
 * fails at once can end. The log never holds words for people and never the value of a secret.
 */
export function openLog(path: string | undefined): Log {
  if (path === undefined) return pino({ enabled: false })
  return pino({ level: 'info', base: null }, pino.destination({ dest: openSync(path, 'a', 0o600), sync: false }))
}
