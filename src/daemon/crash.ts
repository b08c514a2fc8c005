import { appendFileSync } from 'node:fs'
import { messageOf } from '../base/cloud-error.ts'
import { version } from '../base/version.ts'

/** EX_SOFTWARE of sysexits.h: cli/supervisor.ts starts the daemon again. */
const crashed = 70

/**
 * Ends this process at what nobody caught: what it holds in memory cannot be trusted any more, and what is on disk can. One report goes to the
 * log and to stderr; another daemon takes over what runs.
 * @param isUp whether the daemon has started: one that never did is not started again
 */
export function crashAtOnce(logPath: string, isUp: () => boolean): void {
  process.on('uncaughtException', (error, origin) => {
    const stack = error instanceof Error ? error.stack : messageOf(error)
    const report = {
      level: 60,
      time: Date.now(),
      origin,
      version: version(),
      node: process.version,
      err: { message: messageOf(error), stack },
    }
    for (const write of [
      () => appendFileSync(logPath, `${JSON.stringify({ ...report, msg: 'the daemon crashed' })}\n`, { mode: 0o600 }),
      () => process.stderr.write(`The daemon crashed (${origin}): ${stack}\n`),
    ]) {
      try {
        write()
      } catch {} // a full disk does not keep it alive
    }
    process.exit(isUp() ? crashed : 1)
  })
}
