import type { Container } from '../engine/engine.ts'
import { serviceOf } from '../products/run/index.ts'
import type { LoggedLine } from '../telemetry/container-log.ts'
import type { LoggedRequest } from '../telemetry/logged-request.ts'
import { readLine } from '../telemetry/severity.ts'
import type { Tell } from './control.ts'
import type { LogEvent } from './control-protocol.ts'
import type { House } from './house.ts'

/** How often instances that started since are looked for. */
const lookMs = 1000

/** What services, jobs and worker pools print, and the requests that are answered, oldest first; goes on with `follow` until the client goes. */
export async function logs(
  house: House,
  { project = '', service, follow, tail = '100' }: Readonly<Record<string, string>>,
  tell: Tell<LogEvent>,
  signal: AbortSignal,
): Promise<void> {
  const { requests, containerLog } = house.foundation
  const limit = Math.min(Math.max(0, Number(tail) || 0), 100_000)
  const filter = { project, service }
  const kept = { project, owner: service }
  const past: LogEvent[] = [...requests.tail(filter, limit).map(toEvent), ...containerLog.tail(kept, limit).map(toKeptEvent)]
  const nowMs = Date.now()
  const containers = await containersOf(house, filter, signal)
  for (const container of containers) past.push(...(await pastOf(house, container, limit, signal)))
  for (const event of limit === 0 ? [] : past.toSorted((a, b) => a.timeMs - b.timeMs).slice(-limit)) await tell(event)
  if (follow !== 'true') return
  let behind: Promise<void> | undefined
  // what happens meanwhile is left out for a client that does not read: nothing waits for it, and it is not kept in memory
  const tellNow = (event: LogEvent) => {
    if (behind !== undefined) return
    const slow = tell(event)
    if (slow instanceof Promise) behind = slow.then(() => (behind = undefined))
  }
  requests.follow(filter, (request) => tellNow(toEvent(request)), signal)
  const followed = new Set<string>()
  const isNew = ({ resource, stream, instance }: LoggedLine) =>
    resource !== 'cloud_run_revision' || stream === 'system' || !followed.has(instance)
  containerLog.follow(kept, (line) => void (isNew(line) && tellNow(toKeptEvent(line))), signal)
  await followContainers(house, filter, nowMs, followed, tell, signal)
}

interface Filter {
  readonly project: string
  readonly service: string | undefined
}

/** Its last lines; none of a container that was removed meanwhile, or whose output cannot be read. */
async function pastOf({ foundation }: House, container: Container, limit: number, signal: AbortSignal): Promise<LogEvent[]> {
  const events: LogEvent[] = []
  try {
    for await (const line of container.logs({ follow: false, tail: limit }, signal)) events.push(toLogEvent(container, line))
  } catch (error) {
    signal.throwIfAborted()
    foundation.log.info({ err: error, container: container.name }, 'its output cannot be read')
  }
  return events
}

async function followContainers(
  house: House,
  filter: Filter,
  sinceMs: number,
  followed: Set<string>,
  tell: Tell<LogEvent>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    for (const container of await containersOf(house, filter, signal).catch(() => [])) {
      if (followed.has(container.id)) continue
      followed.add(container.id)
      void followContainer(container, sinceMs, tell, signal).catch(() => {}) // it was removed
    }
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, lookMs)
      signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true })
    })
  }
}

async function followContainer(container: Container, sinceMs: number, tell: Tell<LogEvent>, signal: AbortSignal): Promise<void> {
  for await (const line of container.logs({ follow: true, sinceMs }, signal)) await tell(toLogEvent(container, line))
}

async function containersOf({ foundation }: House, { project, service }: Filter, signal: AbortSignal): Promise<readonly Container[]> {
  const engine = await foundation.engines.forProject(project)
  const containers = await engine.list(AbortSignal.any([signal, AbortSignal.timeout(10_000)]))
  return containers.filter((container) => {
    const id = serviceOf(container)?.service
    return container.project === project && id !== undefined && (service === undefined || service === id)
  })
}

function toEvent({ timeMs, service, revision, method, target, status, latencyMs }: LoggedRequest): LogEvent {
  return { kind: 'request', timeMs, service, revision, method, path: target, status, latencyMs }
}

function toLogEvent(
  container: Container,
  line: { readonly timeMs: number; readonly stream: 'stdout' | 'stderr'; readonly text: string },
): LogEvent {
  const { severity, text } = readLine(line.text)
  const { service = '', revision = '' } = serviceOf(container) ?? {}
  return { kind: 'log', timeMs: line.timeMs, service, revision, instance: container.id, stream: line.stream, severity, text }
}

function toKeptEvent({ timeMs, resource, owner, run, instance, stream, text: line }: LoggedLine): LogEvent {
  const of = resource === 'cloud_run_revision' ? {} : { resource }
  return { kind: 'log', timeMs, service: owner, revision: run, instance, ...of, stream, ...readLine(line) }
}
