import type { Revision } from '../../../api/gen/google/cloud/run/v2/revision_pb.ts'
import { CloudError } from '../../../base/cloud-error.ts'
import { lastPart } from '../../../base/last-part.ts'
import type { Container, Engine } from '../../../engine/engine.ts'
import type { PoolInstance } from '../../../router/pool/instance-slot.ts'
import { createRevisionPool } from '../../../router/pool/pool.ts'
import type { InstanceLimits, InstanceView, RevisionPool } from '../../../router/pool/revision-pool.ts'
import { defaultConcurrency, defaultMaxInstances, defaultPort, defaultRequestSeconds, defaultStartupSeconds, graceMs } from '../defaults.ts'
import type { Project, RunNeeds } from '../needs.ts'
import { templateOf } from '../services/revisions.ts'
import { waitUntilListening } from './await-listening.ts'
import { ownerOf } from './container-labels.ts'
import { followProbes, type ProbeHandlers } from './follow-probes.ts'
import { idleLimitMs } from './idle-limit.ts'
import { endLines, keepLines, killedLine, poolLines, tellSystem } from './instance-log.ts'
import { ingressOf, type InstanceSpec } from './instance-spec.ts'
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
  /** Lets requests under way finish, then stops what runs for it. @param how `now` refuses requests that wait for an instance */
  retire(revision: string, how?: 'drain' | 'now'): Promise<void>
  /** The same at once for all revisions whose names begin with `prefix`. */
  retireAll(prefix: string): Promise<void>
  /** The instances of `revision`, those that start included. */
  running(revision: string): readonly InstanceView[]
  /** Takes over an instance that an earlier daemon left; false when its revision is not wanted, so that the caller removes it. */
  adopt(containers: readonly [Container, ...Container[]], revision: Revision | undefined, project: Project): boolean
  /** What an earlier daemon left is known: from here on instances start. Until then requests are held. */
  open(): void
}

/** The exit code of what ended by SIGKILL. */
const sigkilled = 137
/**
 * An instance is paused so long after its last request. Cloud Run takes the CPU at once; but a pause and a resume cost 15-25 ms each, and what
 * follows a page within half a second (its scripts, its pictures, the next call of a test) shall not pay them.
 */
const pauseAfterMs = 500

export function openInstances(needs: RunNeeds): Instances {
  const pools = new Map<string, RevisionPool>()
  const revisions = new Map<string, Revision>()
  const closing = new AbortController()
  const limits = new Map<string, InstanceLimits>()
  const watched = new Set<Engine>()
  /** By name, while they run: an instance ends with the first of its containers. */
  const known = new Map<string, Instance>()
  /** Ids of containers of those, whose end was told. */
  const told = new Set<string>()
  let isHeld = true

  /** F26. One that a registry has is pulled again by the next start. */
  const tellImageGone = (image: string) => {
    for (const revision of revisions.values()) {
      if (!revision.containers.some((container) => container.image === image)) continue
      const text = `The image ${image} was removed by hand: no instance can start any more. Deploy again, which builds it: devcloud up`
      tellSystem(needs, revision, { severity: 'ERROR', text })
    }
  }

  const watch = (engine: Engine) => {
    if (watched.has(engine)) return
    watched.add(engine)
    engine.events(
      (end) => {
        const name = ownerOf(end, 'revision')?.name ?? ''
        const instance = known.get(instanceOf(end))
        if (instance === undefined) return // it was told to, or it never came up, which is told where it was started
        const revision = revisions.get(name)
        if (revision !== undefined) for (const line of endLines(end, revision)) tellSystem(needs, revision, line)
        told.add(end.id)
        pools.get(name)?.instanceEnded(instance.id)
      },
      closing.signal,
      tellImageGone,
    )
  }

  const take = (revision: Revision, instance: Instance): PoolInstance => {
    known.set(instance.name, instance)
    const stopping = new AbortController()
    const probes: ProbeHandlers = {
      onDead(text) {
        tellSystem(needs, revision, { severity: 'ERROR', text, instance: instance.id })
        pools.get(revision.name)?.instanceEnded(instance.id)
      },
      onReady(isReady, text) {
        tellSystem(needs, revision, { severity: isReady ? 'INFO' : 'WARNING', text, instance: instance.id })
        pools.get(revision.name)?.setReady(instance.id, isReady)
      },
    }
    followProbes(instance, revision, probes, AbortSignal.any([closing.signal, stopping.signal]))
    return toPoolInstance(needs, revision, instance, () => {
      stopping.abort()
      known.delete(instance.name)
      return instance.containers.filter(({ id }) => !told.delete(id))
    })
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
      port: portOf(revision),
      owner: { kind: 'revision', service, revision: id, name: revision.name },
    }
    return take(revision, await startInstance(needs, spec, signal))
  }

  const pool = (revision: Revision, project: Project): RevisionPool => {
    const known = pools.get(revision.name)
    if (known !== undefined) return known
    const own = limits.get(revision.name)
    const ingress = ingressOf(revision)
    const made = createRevisionPool({
      id: lastPart(revision.name),
      protocol: ingress?.ports[0]?.name === 'h2c' ? 'h2c' : 'http1',
      timeoutMs: Number(revision.timeout?.seconds ?? defaultRequestSeconds) * 1000,
      sessionAffinity: revision.sessionAffinity,
      concurrency: revision.maxInstanceRequestConcurrency || defaultConcurrency,
      minInstances: own?.min ?? revision.scaling?.minInstanceCount ?? 0,
      maxInstances: own?.max ?? (revision.scaling?.maxInstanceCount || defaultMaxInstances),
      idleMs: own?.idleMs ?? idleLimitMs({}),
      ...(ingress?.resources?.cpuIdle !== false && { pauseAfterMs }),
      startInstance: (signal) => start(revision, project, signal),
      clock: needs.clock,
      onEvent: (event) => poolLines(event).forEach((line) => tellSystem(needs, revision, line)),
      isHeld,
    })
    pools.set(revision.name, made)
    revisions.set(revision.name, revision)
    return made
  }

  const retire: Instances['retire'] = async (revision, how) => {
    const old = pools.get(revision)
    pools.delete(revision)
    limits.delete(revision)
    await old?.close(how)
    if (!pools.has(revision)) revisions.delete(revision)
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
    retire,
    async retireAll(prefix) {
      const names = [...pools.keys()].filter((name) => name.startsWith(prefix))
      await Promise.all(names.map((name) => retire(name, 'now')))
    },
    running: (revision) => pools.get(revision)?.instances ?? [],
    adopt(containers, revision, project) {
      const instance = toInstance(containers)
      const isWhole = containers.length === revision?.containers.length && containers.every(({ state }) => state !== 'exited')
      if (revision === undefined || !isWhole || instance.address === undefined) return false
      pool(revision, project).adopt(takeOver(needs, revision, instance, take(revision, instance), closing.signal))
      void needs.engineFor(project.id, closing.signal).then(watch, () => {})
      return true
    },
    open() {
      isHeld = false
      for (const held of pools.values()) held.open()
    },
    async [Symbol.asyncDispose]() {
      for (const open of pools.values()) open.leave()
      closing.abort() // instances go on without a daemon; the next one adopts them
    },
  }
}

/** The daemon before may have ended while it started or was paused. @throws CloudError when it does not listen; then nothing is left of it */
async function takeOver(
  needs: RunNeeds,
  revision: Revision,
  instance: Instance,
  taken: PoolInstance,
  signal: AbortSignal,
): Promise<PoolInstance> {
  try {
    await instance.resume(signal)
    await waitUntilListening(instance.containers[0], { port: portOf(revision), timeoutMs: defaultStartupSeconds * 1000 }, signal)
    return taken
  } catch (error) {
    if (!signal.aborted) await taken.stop().catch((fault: unknown) => needs.log.warn({ err: fault }, 'stop failed'))
    throw error
  }
}

/** @param beforeStop its containers end one after the other from here on, which is no news; gives those whose end was not told before */
function toPoolInstance(needs: RunNeeds, revision: Revision, instance: Instance, beforeStop: () => readonly Container[]): PoolInstance {
  const { id, address, containers } = instance
  if (address === undefined) throw new CloudError('UNAVAILABLE', `Container ${containers[0].name} has no address.`, 'devcloud doctor')
  return {
    id,
    address,
    pause: () => instance.pause(AbortSignal.timeout(30_000)),
    resume: () => instance.resume(AbortSignal.timeout(30_000)),
    async stop() {
      const untold = new Set<Container>()
      for (const container of beforeStop()) if (!(await tellEnd(needs, revision, container))) untold.add(container)
      await Promise.all(
        containers.map(async (container) => {
          const beganMs = needs.clock.ticksMs()
          await container.stop(graceMs, AbortSignal.timeout(60_000))
          const isLate = needs.clock.ticksMs() - beganMs >= graceMs
          if (isLate && (await container.inspect(AbortSignal.timeout(10_000))).exitCode === sigkilled)
            tellSystem(needs, revision, killedLine(container))
          // the kernel killed it, and Docker had not seen it yet when it was asked before
          if (untold.has(container)) await tellEnd(needs, revision, container, ({ oomKilled }) => oomKilled)
          await keepLines(needs, container)
        }),
      )
      await instance.stop()
    },
  }
}

/**
 * Who lost the connection to an instance may know of its end before the engine has told it.
 * @param isNews whether an end is worth telling
 * @returns whether it was told
 */
async function tellEnd(
  needs: RunNeeds,
  revision: Revision,
  container: Container,
  isNews: (end: { readonly oomKilled: boolean }) => boolean = () => true,
): Promise<boolean> {
  const seen = await container.inspect(AbortSignal.timeout(10_000)).catch(() => undefined) // stopping it says what is wrong
  if (seen?.exitCode === undefined || !isNews({ oomKilled: seen.oomKilled })) return false
  const { exitCode, oomKilled } = seen
  for (const line of endLines({ id: container.id, exitCode, oomKilled }, revision)) tellSystem(needs, revision, line)
  return true
}

function portOf(revision: Revision): number {
  return ingressOf(revision)?.ports[0]?.containerPort ?? defaultPort
}
