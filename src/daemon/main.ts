import { CloudError } from '../base/cloud-error.ts'
import { daemonLogPath, socketPath, stateDirectory } from '../base/paths.ts'
import { toWire } from './control.ts'
import { crashAtOnce } from './crash.ts'
import { openDaemon } from './daemon.ts'
import { watchLoop } from './loop-watch.ts'
import { trimWhenIdle } from './trim-memory.ts'

/** Another daemon holds the state directory: whoever started this one waits for that one. Source: EX_TEMPFAIL of sysexits.h. */
const heldByAnother = 75

const ended = Promise.withResolvers<void>()
for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => ended.resolve())
process.on('SIGHUP', () => {}) // the terminal that started it may close

const state = stateDirectory()
const logPath = daemonLogPath(state)
let isUp = false
crashAtOnce(logPath, () => isUp)

try {
  const port = process.env['DEVCLOUD_PORT']
  const daemon = await openDaemon({
    stateDirectory: state,
    port: port === undefined || port === '' ? 'preferred' : Number(port),
    onShutdown: () => ended.resolve(),
  })
  isUp = true
  const { log } = daemon.house.foundation
  const crashed = process.env['DEVCLOUD_CRASHED'] // cli/supervisor.ts
  if (crashed !== undefined) log.warn({ exitCode: Number(crashed) }, 'the daemon before this one crashed; this one takes over what runs')
  using _trim = trimWhenIdle()
  using _watch = watchLoop({ logPath, healthPath: socketPath(state, 'health.sock'), log })
  await ended.promise
  await daemon[Symbol.asyncDispose]()
  process.exit(0)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n${JSON.stringify(toWire(error))}\n`)
  process.exit(error instanceof CloudError && error.fault === 'STATE_LOCKED' ? heldByAnother : 1)
}
