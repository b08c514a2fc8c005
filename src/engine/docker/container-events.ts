import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type Docker from 'dockerode'
import { messageOf } from '../../base/cloud-error.ts'
import type { ContainerEnd } from '../engine.ts'
import { ask, orAbsent } from './ask.ts'
import type { DockerHost } from './docker-host.ts'
import { jsonLines } from './json-lines.ts'
import { ours, readLabels, type ContainerLabels } from './labels.ts'

/** `{"Type":"container","Action":"die","Actor":{"ID":"...","Attributes":{"exitCode":"137","dev.devcloud.state":"..."}}}` */
interface DockerEvent {
  readonly Action: string
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> }
}

const reopenMs = 500

/** Running containers by Docker's id, with what `onEnd` gets when they end. */
export type RunningContainers = Map<string, Pick<ContainerLabels, 'name' | 'project' | 'labels'>>

export interface EndHandlers {
  onEnd(end: ContainerEnd): void
  /** Called with an ended container before `onEnd`. */
  see(info: Docker.ContainerInspectInfo): void
}

/**
 * Calls `onEnd` for each container that ends, until `signal` ends. Docker forgets its events when it restarts, so after each reconnection every container
 * that ran before and does not run now counts as ended.
 * @param running kept up to date here; the code that starts a container adds it, since an engine that shuts down does not report every start
 */
export function followEnds(host: DockerHost, running: RunningContainers, handlers: EndHandlers, signal: AbortSignal): void {
  void (async () => {
    while (!signal.aborted) {
      try {
        await followOnce(host, running, handlers, signal)
      } catch (error) {
        if (!signal.aborted) host.log.warn({ error: messageOf(error) }, 'docker events were cut')
      }
      await sleep(reopenMs, undefined, { signal }).catch(() => {})
    }
  })()
}

async function followOnce(host: DockerHost, running: RunningContainers, { onEnd, see }: EndHandlers, signal: AbortSignal): Promise<void> {
  const filters = { ...ours(host.state), event: ['start', 'die', 'died'] } // Podman 4 filters by `died` what it then tells as `die`
  const stream = (await ask(host.docker.getEvents({ filters, abortSignal: signal }), signal)) as Readable
  try {
    const missed = await endsMissed(host, running, see, signal) // after the stream is open, so that no end is missed
    for (const end of missed) onEnd(end)
    const told = new Set(missed.map((end) => end.id))
    for await (const { Action, Actor } of jsonLines<DockerEvent>(stream)) {
      const labels = readLabels(Actor.Attributes)
      if (labels.role === 'forwarder') continue
      if (Action === 'start') running.set(Actor.ID, labels)
      if (Action !== 'die') continue
      running.delete(Actor.ID)
      if (!told.delete(Actor.ID) && !host.removing.delete(Actor.ID))
        onEnd(await toEnd(host, Actor.ID, labels, Number(Actor.Attributes['exitCode'] ?? 137), see, signal))
    }
  } finally {
    stream.destroy()
  }
}

/** The containers in `running` that have ended. Removes them from `running`. */
async function endsMissed(
  host: DockerHost,
  running: RunningContainers,
  see: EndHandlers['see'],
  signal: AbortSignal,
): Promise<ContainerEnd[]> {
  const before = [...running] // without containers that start while Docker lists
  const infos = await ask(host.docker.listContainers({ filters: ours(host.state) }), signal)
  const now = new Map(infos.map((info) => [info.Id, readLabels(info.Labels)]))
  const ended = before.filter(([id]) => !now.has(id))
  for (const [id] of ended) running.delete(id)
  for (const [id, labels] of now) if (labels.role !== 'forwarder') running.set(id, labels)
  const gone = ended.filter(([id]) => !host.removing.delete(id))
  return await Promise.all(gone.map(([id, labels]) => toEnd(host, id, labels, 137, see, signal)))
}

/** @param exitCode the exit code to report when the container or Docker is gone already */
async function toEnd(
  host: DockerHost,
  id: string,
  labels: Pick<ContainerLabels, 'name' | 'project' | 'labels'>,
  exitCode: number,
  see: EndHandlers['see'],
  signal: AbortSignal,
): Promise<ContainerEnd> {
  const info = await orAbsent(ask(host.docker.getContainer(id).inspect(), signal)).catch((error: unknown) => {
    signal.throwIfAborted()
    host.log.warn({ error: messageOf(error), id }, 'an ended container cannot be looked at')
    return undefined
  })
  if (info !== undefined) see(info)
  const state = info?.State
  return {
    id,
    name: labels.name,
    project: labels.project,
    labels: labels.labels,
    exitCode: state?.Running === false ? state.ExitCode : exitCode,
    oomKilled: state?.OOMKilled ?? false,
  }
}
