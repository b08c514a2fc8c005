import { CloudError } from '../../base/cloud-error.ts'
import type { RevisionTemplate } from '../../api/gen/google/cloud/run/v2/revision_template_pb.ts'
import type { Revision } from '../../api/gen/google/cloud/run/v2/revision_pb.ts'
import { waitUntilListening } from '../../engine/readiness.ts'
import type { Container, Engine } from '../../engine/engine.ts'
import { createRevisionPool, type PoolInstance, type RevisionPool } from '../../router/pool.ts'
import { containerSpec } from './container-spec.ts'
import type { Project, RunNeeds } from './needs.ts'
import { templateOf } from './revisions.ts'

/** Cloud Run's default startup probe waits this long for the port (trap 42). */
const defaultStartupMs = 240_000
/** SIGTERM, then this long, then SIGKILL. */
const graceMs = 10_000

/** What runs: a pool of instances for each revision that may take requests. */
export interface Instances extends AsyncDisposable {
  /** The pool of `revision`, made when there is none. */
  pool(revision: Revision, project: Project): RevisionPool
  /** Starts one instance, or finds one running: the health check of a deployment. @throws CloudError APP_CRASHED, NOT_LISTENING, ... */
  warm(revision: Revision, project: Project, signal: AbortSignal): Promise<void>
  /** Lets requests under way finish, then stops what runs for it. */
  retire(revision: string): Promise<void>
  /** The instances of `revision` that take requests. */
  running(revision: string): readonly { readonly id: string; readonly inFlight: number }[]
  /** Takes over a container that an earlier daemon left; false when its revision is not wanted, so that the caller removes it. */
  adopt(container: Container, revision: Revision | undefined, project: Project): boolean
}

export function openInstances(needs: RunNeeds): Instances {
  const pools = new Map<string, RevisionPool>()
  const closing = new AbortController()
  const watched = new Set<Engine>()

  const watch = (engine: Engine) => {
    if (watched.has(engine)) return
    watched.add(engine)
    engine.events((end) => {
      const revision = end.labels['revisionName']
      if (revision !== undefined) pools.get(revision)?.instanceEnded(end.id)
    }, closing.signal)
  }

  const startInstance = async (revision: Revision, project: Project, signal: AbortSignal): Promise<PoolInstance> => {
    const engine = await needs.engineFor(project.id, signal)
    watch(engine)
    const template = templateOf(revision)
    const id = template.revision
    const identity = { project, service: revision.service, revision: id }
    const spec = await containerSpec(needs, engine.kind, template, identity, `${id}-${crypto.randomUUID().slice(0, 8)}`)
    const container = await engine.start({ ...spec, labels: { ...spec.labels, revisionName: revision.name } }, signal)
    try {
      await waitUntilListening(container, { port: spec.port ?? 8080, timeoutMs: startupMs(template) }, signal)
    } catch (error) {
      await discard(container).catch((fault: unknown) => needs.log.warn({ fault, container: container.name }, 'stop failed'))
      throw error
    }
    return toInstance(container)
  }

  const pool = (revision: Revision, project: Project): RevisionPool => {
    const known = pools.get(revision.name)
    if (known !== undefined) return known
    const made = createRevisionPool({
      id: revision.name.split('/').at(-1) ?? '',
      concurrency: revision.maxInstanceRequestConcurrency || 80,
      minInstances: revision.scaling?.minInstanceCount ?? 0,
      maxInstances: revision.scaling?.maxInstanceCount || 100,
      pendingMs: 10_000,
      startInstance: (signal) => startInstance(revision, project, signal),
      clock: needs.clock,
    })
    pools.set(revision.name, made)
    return made
  }

  return {
    pool,
    async warm(revision, project, signal) {
      const lease = await pool(revision, project).acquire(signal)
      lease.release()
    },
    async retire(revision) {
      const old = pools.get(revision)
      pools.delete(revision)
      await old?.close()
    },
    running: (revision) => pools.get(revision)?.instances ?? [],
    adopt(container, revision, project) {
      if (revision === undefined || container.state === 'exited' || container.address === undefined) return false
      pool(revision, project).adopt(toInstance(container))
      void needs.engineFor(project.id, closing.signal).then(watch, () => {})
      return true
    },
    async [Symbol.asyncDispose]() {
      closing.abort() // instances go on without a daemon; the next one adopts them
    },
  }
}

/** How long the template's own startup probe allows: its delay, then `failureThreshold` tries, `period` apart. */
function startupMs(template: RevisionTemplate): number {
  const probe = template.containers[0]?.startupProbe
  if (probe === undefined) return defaultStartupMs
  return (probe.initialDelaySeconds + (probe.failureThreshold || 3) * (probe.periodSeconds || 10)) * 1000
}

function toInstance(container: Container): PoolInstance {
  const { address } = container
  if (address === undefined) {
    throw new CloudError('UNAVAILABLE', `Container ${container.name} has no address.`, `devcloud logs ${container.labels['service'] ?? ''}`)
  }
  return {
    id: container.id,
    address,
    stop: () => discard(container),
  }
}

async function discard(container: Container): Promise<void> {
  await container.stop(graceMs, AbortSignal.timeout(30_000))
  await container.remove(AbortSignal.timeout(30_000))
}
