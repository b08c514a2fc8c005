import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../../base/cloud-error.ts'
import { ask } from './ask.ts'
import type { DockerHost } from './docker-host.ts'
import { jsonLines } from './json-lines.ts'
import { readLabels } from './labels.ts'
import { projectOfNetwork } from './project-network.ts'

/** `{"Type":"network","Action":"destroy","Actor":{"ID":"...","Attributes":{"name":"devcloud-shop-3f...","type":"bridge"}}}`; no labels. */
interface LossEvent {
  readonly Type: string
  readonly Action: string
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> }
}

/** The pause between two streams of events, in ms. */
const reopenMs = 500
/** How often networks and forwarders are checked under Podman, whose events do not report networks, in ms. */
const lookMs = 4000
const retryMs = { first: 500, most: 30_000 }

export interface KeptProjects {
  /** The projects whose network and forwarder must exist. */
  names(): readonly string[]
  /** Makes the missing network or forwarder. */
  mend(project: string, signal: AbortSignal): Promise<void>
  /** Called with the id, `sha256:...`, of any image that was removed. */
  onImageGone(image: string): void
}

/**
 * Makes a project's network and forwarder again when somebody removes them, until `signal` ends. Never touches those of another state directory.
 */
export function keepProjects(host: DockerHost, kept: KeptProjects, signal: AbortSignal): void {
  const mending = new Set<string>()
  /** Lost something more while it was mended. */
  const again = new Set<string>()
  const mend = async (project: string): Promise<void> => {
    if (mending.has(project)) return void again.add(project)
    mending.add(project)
    try {
      for (let waitMs = retryMs.first; ; waitMs = Math.min(waitMs * 2, retryMs.most)) {
        await sleep(waitMs, undefined, { signal, ref: false }) // a removal takes several events, and may be of our own making
        if (!kept.names().includes(project)) return
        again.delete(project)
        try {
          await kept.mend(project, AbortSignal.any([signal, AbortSignal.timeout(60_000)]))
          if (!again.has(project)) return
          waitMs = retryMs.first / 2
        } catch (error) {
          if (!signal.aborted)
            host.log.warn({ err: error, project }, "a project's network or forwarder was taken away, and is not there yet")
        }
      }
    } catch (error) {
      if (!signal.aborted) throw error
    } finally {
      mending.delete(project)
    }
  }
  const mendAll = () => Promise.all(kept.names().map(mend))
  if (host.product.startsWith('Podman')) {
    const timer = setInterval(() => void mendAll(), lookMs).unref()
    signal.addEventListener('abort', () => clearInterval(timer), { once: true })
    return
  }
  const tell = (event: LossEvent) => {
    if (event.Type === 'image') return kept.onImageGone(event.Actor.ID)
    const project = lostBy(host, event)
    if (project !== undefined && kept.names().includes(project)) void mend(project)
  }
  void (async () => {
    for (let round = 0; !signal.aborted; round++) {
      try {
        await followOnce(host, tell, round > 0 ? mendAll : undefined, signal)
      } catch (error) {
        if (!signal.aborted) host.log.warn({ error: messageOf(error) }, 'docker events were cut')
      }
      await sleep(reopenMs, undefined, { signal, ref: false }).catch(() => {})
    }
  })()
}

/** @param onOpen called once the stream is open: earlier losses are not reported */
async function followOnce(
  host: DockerHost,
  tell: (event: LossEvent) => void,
  onOpen: (() => Promise<unknown>) | undefined,
  signal: AbortSignal,
): Promise<void> {
  const type: ('container' | 'network' | 'image')[] = ['container', 'network', 'image']
  const filters = { type, event: ['die', 'destroy', 'delete'] }
  const stream = (await ask(host.docker.getEvents({ filters, abortSignal: signal }), signal)) as Readable
  try {
    void onOpen?.()
    for await (const event of jsonLines<LossEvent>(stream)) tell(event)
  } finally {
    stream.destroy()
  }
}

function lostBy(host: DockerHost, { Type, Action, Actor }: LossEvent): string | undefined {
  if (Type === 'network') return Action === 'destroy' ? projectOfNetwork(host, Actor.Attributes['name'] ?? '') : undefined
  const { state, role, project } = readLabels(Actor.Attributes)
  return state === host.state && role === 'forwarder' ? project : undefined
}
