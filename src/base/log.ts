import { openSync } from 'node:fs'
import pino from 'pino'

export type Log = pino.Logger

/** The daemon's diagnostics: NDJSON to `path`, opened at once so that a daemon which fails right after can end, or nothing. Never words for people, never a secret's value. */
export function openLog(path: string | undefined): Log {
  if (path === undefined) return pino({ enabled: false })
  return pino({ level: 'info', base: null }, pino.destination({ dest: openSync(path, 'a', 0o600), sync: false }))
}
