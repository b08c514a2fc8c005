import { CloudError } from '../../base/cloud-error.ts'
import type { Revision } from '../../api/gen/google/cloud/run/v2/revision_pb.ts'
import type { Container, Engine } from '../../engine/engine.ts'
import type { PoolInstance } from '../../router/instance-slot.ts'
import { createRevisionPool } from '../../router/pool.ts'
import type { InstanceLimits, RevisionPool } from '../../router/revision-pool.ts'
import { ingressOf, type InstanceSpec } from './instance-spec.ts'
import type { Project, RunNeeds } from './needs.ts'
import { templateOf } from './revisions.ts'
import { instanceOf, toInstance, type Instance } from './instance.ts'
import { startInstance } from './start-instance.ts'

/** What runs: a pool of instances for each revision that may take requests. */
export interface Instances extends AsyncDisposable {
  /** The pool of `revision`, made when there is none. */
  pool(revision: Revision, project: Project): RevisionPool
  /** How many instances `revision` may have from now on, by its own scaling and its share of the service's. */
  setLimits(revision: string, limits: InstanceLimits): void
  /** Starts one instance, or finds one running: the health check of a deployment. @throws CloudError APP_CRASHED, NOT_LISTENING, ... */
  warm(revision: Revision, project: Project, signal: AbortSignal): Promise<void>
  /** Lets requests under way finish, then stops what runs for it. */
  retire(revision: string): Promise<void>
  /** The instances of `revision` that take requests. */
  running(revision: string): readonly { readonly id: string; readonly inFlight: number }[]
  /** Takes over an instance that an earlier daemon left; false when its revision is not wanted, so that the caller removes it. */
  adopt(containers: readonly [Container, ...Container[]], revision: Revision | undefined, project: Project): boolean
}

export function openInstances(needs: RunNeeds): Instances {
  const pools = new Map<string, RevisionPool>()
  const closing = new AbortController()
  const limits = new Map<string, InstanceLimits>()
  const watched = new Set<Engine>()
  const known = new Map<string, Instance>()

  const watch = (engine: Engine) => {
    if (watched.has(engine)) return
    watched.add(engine)
    engine.events((end) => {
      const revision = end.labels['revisionName']
      if (revision === undefined) return
      const name = instanceOf(end)
      const instance = known.get(name)
      known.delete(name)
      pools.get(revision)?.instanceEnded(instance?.id ?? end.id)
      // one container that ends takes the others with it
      if (instance !== undefined && instance.containers.length > 1)
        instance.stop().catch((error: unknown) => needs.log.warn({ err: error, instance: name }, 'stop failed'))
    }, closing.signal)
  }

  const take = (instance: Instance): PoolInstance => {
    known.set(instance.name, instance)
    return toPoolInstance(instance, () => known.delete(instance.name)) // its containers end one after the other, which is no news
  }

  const start = async (revision: Revision, project: Project, signal: AbortSignal): Promise<PoolInstance> => {
    watch(await needs.engineFor(project.id, signal))
    const template = templateOf(revision)
    const { service } = revision
    const id = template.revision
    const spec: InstanceSpec = {
      name: `${id}-${crypto.randomUUID().slice(0, 8)}`,
      project,
      template,
      env: { K_SERVICE: service, K_REVISION: id, K_CONFIGURATION: service },
      port: ingressOf(template)?.ports[0]?.containerPort ?? 8080,
      labels: { service, revision: id, revisionName: revision.name },
    }
    return take(await startInstance(needs, spec, signal))
  }

  const pool = (revision: Revision, project: Project): RevisionPool => {
    const known = pools.get(revision.name)
    if (known !== undefined) return known
    const made = createRevisionPool({
      id: revision.name.split('/').at(-1) ?? '',
      protocol: ingressOf(templateOf(revision))?.ports[0]?.name === 'h2c' ? 'h2c' : 'http1',
      concurrency: revision.maxInstanceRequestConcurrency || 80,
      minInstances: limits.get(revision.name)?.min ?? revision.scaling?.minInstanceCount ?? 0,
      maxInstances: limits.get(revision.name)?.max ?? (revision.scaling?.maxInstanceCount || 100),
      startInstance: (signal) => start(revision, project, signal),
      clock: needs.clock,
    })
    pools.set(revision.name, made)
    return made
  }

  return {
    pool,
    setLimits(revision, wanted) {
      limits.set(revision, wanted)
      pools.get(revision)?.setLimits(wanted)
    },
    async warm(revision, project, signal) {
      await pool(revision, project).warm(signal)
    },
    async retire(revision) {
      const old = pools.get(revision)
      pools.delete(revision)
      limits.delete(revision)
      await old?.close()
    },
    running: (revision) => pools.get(revision)?.instances ?? [],
    adopt(containers, revision, project) {
      const instance = toInstance(containers)
      const wanted = revision === undefined ? 0 : templateOf(revision).containers.length
      const runs = containers.length === wanted && containers.every((container) => container.state !== 'exited')
      if (revision === undefined || !runs || instance.address === undefined) return false
      pool(revision, project).adopt(take(instance))
      void needs.engineFor(project.id, closing.signal).then(watch, () => {})
      return true
    },
    async [Symbol.asyncDispose]() {
      for (const open of pools.values()) open.leave()
      closing.abort() // instances go on without a daemon; the next one adopts them
    },
  }
}

function toPoolInstance(instance: Instance, beforeStop: () => void): PoolInstance {
  const { id, address } = instance
  if (address === undefined)
    throw new CloudError('UNAVAILABLE', `Container ${instance.containers[0].name} has no address.`, 'devcloud doctor')
  return { id, address, stop: () => (beforeStop(), instance.stop()) }
}
