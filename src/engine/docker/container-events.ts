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

export interface EndHandlers {
  onEnd(end: ContainerEnd): void
  /** What is seen of an ended container, before `onEnd`. */
  see(info: Docker.ContainerInspectInfo): void
}

/**
 * Tells of each container's end until `signal` ends. Docker forgets its events when it restarts: after each reopening what ran before and
 * does not run now is told as ended.
 */
export function followEnds(host: DockerHost, handlers: EndHandlers, signal: AbortSignal): void {
  void (async () => {
    const running = new Map<string, ContainerLabels>()
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

async function followOnce(
  host: DockerHost,
  running: Map<string, ContainerLabels>,
  { onEnd, see }: EndHandlers,
  signal: AbortSignal,
): Promise<void> {
  const filters = { ...ours(host.state), event: ['start', 'die', 'died'] } // Podman 4 filters by `died` what it then tells as `die`
  const stream = (await ask(host.docker.getEvents({ filters, abortSignal: signal }), signal)) as Readable
  try {
    const missed = await endsMissed(host, running, see, signal) // after the stream is open, so that nothing falls between
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

/** Those in `running` that run no more. `running` is brought up to date. */
async function endsMissed(
  host: DockerHost,
  running: Map<string, ContainerLabels>,
  see: EndHandlers['see'],
  signal: AbortSignal,
): Promise<ContainerEnd[]> {
  const infos = await ask(host.docker.listContainers({ filters: ours(host.state) }), signal)
  const now = new Map(infos.map((info) => [info.Id, readLabels(info.Labels)]))
  const gone = [...running].filter(([id]) => !now.has(id) && !host.removing.delete(id))
  running.clear()
  for (const [id, labels] of now) if (labels.role !== 'forwarder') running.set(id, labels)
  return await Promise.all(gone.map(([id, labels]) => toEnd(host, id, labels, 137, see, signal)))
}

/** @param exitCode for when the container is gone already */
async function toEnd(
  host: DockerHost,
  id: string,
  labels: ContainerLabels,
  exitCode: number,
  see: EndHandlers['see'],
  signal: AbortSignal,
): Promise<ContainerEnd> {
  const info = await orAbsent(ask(host.docker.getContainer(id).inspect(), signal))
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
