import { setTimeout as sleep } from 'node:timers/promises'
import type { LogLine } from '../engine.ts'
import { ask, isOfTheWire, isUnreachable, orAbsent } from './ask.ts'
import type { DockerHost } from './docker-host.ts'
import { readLogLines } from './log-lines.ts'

interface LogOptions {
  readonly follow: boolean
  readonly sinceMs?: number
  readonly tail?: number
}

/** Reads a container's output. When Docker stops while the output is followed, reading goes on at the same line once Docker is back. */
export async function* containerLogs(host: DockerHost, id: string, options: LogOptions, signal: AbortSignal): AsyncIterable<LogLine> {
  let stamp: string | undefined
  let sameStamp = 0 // how many lines share the last time stamp: those of one write
  for (;;) {
    try {
      const stream = await openLogs(host, id, stamp === undefined ? options : { follow: true, since: stamp }, signal)
      let known = sameStamp
      try {
        for await (const { stamp: of, stream: from, timeMs, text } of readLogLines(stream)) {
          if (of === stamp && known-- > 0) continue
          sameStamp = of === stamp ? sameStamp + 1 : 1
          stamp = of
          yield { stream: from, timeMs, text }
        }
      } finally {
        stream.destroy()
      }
    } catch (error) {
      if (signal.aborted) return
      if (!options.follow || !(isUnreachable(error) || isOfTheWire(error))) throw error
    }
    if (!options.follow || signal.aborted || !(await goesOn(host, id, signal))) return
  }
}

/** Asks Docker directly: `container.logs()` of dockerode gathers the whole output in memory unless it follows. */
async function openLogs(
  host: DockerHost,
  id: string,
  options: LogOptions & { readonly since?: string },
  signal: AbortSignal,
): Promise<AsyncIterable<unknown> & { destroy(): void }> {
  const since = options.since === undefined ? sinceOf(options.sinceMs) : stampSeconds(options.since)
  const query = {
    stdout: true,
    stderr: true,
    timestamps: true,
    follow: options.follow,
    ...(since !== undefined && { since }),
    ...(options.tail !== undefined && { tail: options.tail }),
  }
  const modem = host.docker.modem as { dial(options: object, done: (error: unknown, stream: unknown) => void): void }
  const { promise, resolve, reject } = Promise.withResolvers<unknown>()
  modem.dial(
    {
      path: `/containers/${id}/logs?`,
      method: 'GET',
      isStream: true,
      abortSignal: signal,
      statusCodes: { 200: true, 404: 'no such container', 500: 'server error' },
      options: query,
    },
    (error, stream) => (error === null || error === undefined ? resolve(stream) : reject(error)),
  )
  return (await ask(promise, signal)) as AsyncIterable<unknown> & { destroy(): void }
}

/** Whether the container still runs. Asks until Docker answers. */
async function goesOn(host: DockerHost, id: string, signal: AbortSignal): Promise<boolean> {
  for (;;) {
    try {
      return (await orAbsent(ask(host.docker.getContainer(id).inspect(), signal)))?.State.Running ?? false
    } catch (error) {
      if (signal.aborted) return false
      if (!isUnreachable(error)) throw error
      await sleep(500, undefined, { signal }).catch(() => {})
    }
  }
}

/** A time as Docker takes it: `seconds.nanoseconds`. */
function sinceOf(sinceMs: number | undefined): string | undefined {
  return sinceMs === undefined ? undefined : (sinceMs / 1000).toFixed(3)
}

function stampSeconds(stamp: string): string {
  const seconds = Math.floor(Date.parse(stamp) / 1000)
  return `${seconds}.${/\.(\d+)Z$/.exec(stamp)?.[1] ?? '0'}`
}
