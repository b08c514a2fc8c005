import { setTimeout as sleep } from 'node:timers/promises'
import type { Container, ContainerStatus, LogLine } from '../../../engine/engine.ts'
import type { Log } from '../../../base/log.ts'
import type { ContainerLog, LoggedLine } from '../../../telemetry/container-log.ts'
import { graceMs } from '../defaults.ts'
import type { Instance } from './instance.ts'

/** How often a container is asked whether it has ended: once its output is over, and before. */
const lookMs = { afterOutput: 100, before: 2000 }
/** How long the last lines of a container that has ended may take. */
const lastLinesMs = 5000

/** An instance on its way to its end. */
export interface Following {
  /**
   * How the first of those that count ended. Resolves when every container has ended and its last lines were given; the containers are there
   * still. Rejects only when the signal ends first: then they go on.
   */
  readonly ended: Promise<ContainerStatus>
  /** Ends every container. Its last lines are read still. */
  stop(): void
}

export interface FollowOptions {
  /** Whose end is the instance's: the first container's, or that of whichever ends first. The others are stopped then. */
  readonly until: 'main' | 'any'
  readonly onLine: (line: LogLine) => void
  /** Output cannot be read. Told once a container; its end is waited for all the same. */
  readonly onUnreadable: (container: Container, error: unknown) => void
  /** Wall time of the first line wanted. */
  readonly sinceMs?: number
  /** Told as soon as the first of those that count has ended. */
  readonly onEnd?: (status: ContainerStatus) => void
}

/** Follows what serves no requests, and so has no pool: tasks of jobs, instances of worker pools, a command that is run once. */
export function followToEnd(log: Log, instance: Instance, options: FollowOptions, signal: AbortSignal): Following {
  const stopAll = () => instance.containers.map((container) => container.stop(graceMs, AbortSignal.timeout(60_000)))
  const ended = (async () => {
    const ends = instance.containers.map((container) => followContainer(container, options, signal))
    for (const end of ends) end.catch(() => {}) // awaited below
    const [main] = ends
    const first = await (options.until === 'main' && main !== undefined ? main : Promise.race(ends))
    options.onEnd?.(first)
    for (const stopped of await Promise.allSettled(stopAll()))
      if (stopped.status === 'rejected') tellNotStopped(log, instance, stopped.reason)
    await Promise.all(ends)
    return first
  })()
  ended.catch(() => {}) // awaited by the caller
  return {
    ended,
    stop() {
      for (const stopping of stopAll()) stopping.catch((error: unknown) => tellNotStopped(log, instance, error))
    },
  }
}

/** Keeps the lines as those of `line`. */
export function keepIn(
  containerLog: ContainerLog,
  line: Omit<LoggedLine, 'timeMs' | 'stream' | 'text'>,
  nowMs: () => number,
): Pick<FollowOptions, 'onLine' | 'onUnreadable'> {
  return {
    onLine: ({ timeMs, stream, text }) => containerLog.add({ ...line, timeMs, stream, text }),
    onUnreadable(container, error) {
      const message = `The output of ${container.name} cannot be read: ${error instanceof Error ? error.message : String(error)}. It runs on.`
      containerLog.add({ ...line, timeMs: nowMs(), stream: 'system', text: JSON.stringify({ severity: 'WARNING', message }) })
    },
  }
}

async function followContainer(container: Container, options: FollowOptions, signal: AbortSignal): Promise<ContainerStatus> {
  const late = new AbortController()
  const output = readLines(container, options, AbortSignal.any([signal, late.signal]))
  const status = await endOf(container, output, signal)
  const timer = setTimeout(() => late.abort(), lastLinesMs)
  await output
  clearTimeout(timer)
  signal.throwIfAborted()
  return status
}

/** Never rejects. */
async function readLines(container: Container, { onLine, onUnreadable, sinceMs }: FollowOptions, signal: AbortSignal): Promise<void> {
  try {
    for await (const line of container.logs({ follow: true, ...(sinceMs !== undefined && { sinceMs }) }, signal)) onLine(line)
  } catch (error) {
    if (!signal.aborted) onUnreadable(container, error)
  }
}

/** What is seen of it when it has ended. An engine that does not answer is asked again. */
async function endOf(container: Container, output: Promise<void>, signal: AbortSignal): Promise<ContainerStatus> {
  let isQuiet = false
  void output.then(() => (isQuiet = true))
  for (;;) {
    const status = await container.inspect(signal).catch(() => undefined)
    signal.throwIfAborted()
    if (status?.state === 'exited') return status
    const waiting = new AbortController()
    const wait = sleep(isQuiet ? lookMs.afterOutput : lookMs.before, undefined, { signal: AbortSignal.any([signal, waiting.signal]) })
    await Promise.race([wait, ...(isQuiet ? [] : [output])]).catch(() => signal.throwIfAborted())
    waiting.abort()
    wait.catch(() => {})
  }
}

function tellNotStopped(log: Log, instance: Instance, error: unknown): void {
  log.warn({ err: error, instance: instance.name }, 'stop failed')
}
