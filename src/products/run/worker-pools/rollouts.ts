import { timestampFromMs } from '@bufbuild/protobuf/wkt'
import type { WorkerPool } from '../../../api/gen/google/cloud/run/v2/worker_pool_pb.ts'
import { CloudError } from '../../../base/cloud-error.ts'
import { lastPart } from '../../../base/last-part.ts'
import type { Container } from '../../../engine/engine.ts'
import { defaultWorkers } from '../defaults.ts'
import { newEtag } from '../etags.ts'
import { ownerOf, type ContainerOwner } from '../instances/container-labels.ts'
import type { InstanceContainers } from '../instances/instance.ts'
import { takeLeft } from '../instances/take-left.ts'
import { projectOf } from '../names.ts'
import type { RunNeeds } from '../needs.ts'
import type { PoolRevisions } from './pool-revisions.ts'
import { runPool, type PoolRun } from './pool-run.ts'
import { markFailed, markRolledOut } from './pool-status.ts'
import { resolveSplits, shareOut } from './splits.ts'
import type { PoolStore, Rollouts } from './worker-pools.ts'

type Worker = Extract<ContainerOwner, { kind: 'worker' }>

/** What runs for every worker pool. Disposed, it leaves the containers to a later daemon. */
export interface PoolRollouts extends Rollouts, AsyncDisposable {
  /** Whether `container` is of a revision that its pool wants: a new daemon keeps it. */
  wants(container: Container): boolean
  /** Makes what runs agree with what is wanted, with the containers that an earlier daemon left. */
  resume(): Promise<void>
  /** Stops what runs for `project`, whose pools stay. */
  stopProject(project: string): Promise<void>
  /** The same for pools whose rows are gone. */
  removeProject(project: string): Promise<void>
}

export function openRollouts(needs: RunNeeds, store: PoolStore, revisions: PoolRevisions): PoolRollouts {
  const closing = new AbortController()
  const runs = new Map<string, PoolRun>()
  const waiting = new Map<string, PromiseWithResolvers<WorkerPool>[]>()
  const adopted = new Set<string>()

  const wanted = (name: string): ReadonlyMap<string, number> => {
    const pool = store.find(name)
    return pool === undefined || !needs.isUp(projectOf(name)) ? new Map() : wantedInstances(pool)
  }
  const finish = async (name: string, failure?: unknown) => {
    const pool = store.find(name)
    if (pool?.reconciling !== true) return
    const at = new Date(needs.clock.nowMs())
    if (failure === undefined) markRolledOut(pool, at)
    else markFailed(pool, failure, at)
    pool.updateTime = timestampFromMs(at.getTime())
    pool.etag = newEtag()
    await Promise.all([store.put(pool), revisions.setReady(pool.latestCreatedRevision, failure)])
    for (const done of waiting.get(name) ?? []) {
      if (failure === undefined) done.resolve(pool)
      else done.reject(failure)
    }
    waiting.delete(name)
    runs.get(name)?.look() // what the newest revision replaces may stop now
  }
  /** The rollout is done when every instance of the newest revision has settled, and has failed when one did not come up. */
  const onSettled = (name: string, revision: string, failure?: unknown) => {
    const pool = store.find(name)
    if (pool?.reconciling !== true || lastPart(pool.latestCreatedRevision) !== revision) return
    if (failure !== undefined || running(name, revision) >= (wantedInstances(pool).get(revision) ?? 0))
      finish(name, failure).catch(unwritten(name))
  }
  const unwritten = (name: string) => (error: unknown) => needs.log.error({ err: error, pool: name }, 'a worker pool could not be written')
  const runOf = (name: string): PoolRun => {
    const known = runs.get(name)
    if (known !== undefined) return known
    const run = runPool(
      {
        needs,
        wanted: () => wanted(name),
        revision: (id) => revisions.get(`${name}/revisions/${id}`),
        onSettled: (revision, failure) => onSettled(name, revision, failure),
        closing: closing.signal,
      },
      name,
    )
    runs.set(name, run)
    return run
  }
  const running = (name: string, revision: string) =>
    runOf(name)
      .instances()
      .filter((one) => one.revision === revision && one.state === 'running').length
  const adoptLeft = async (project: string) => {
    if (adopted.has(project)) return
    const isWhole = ({ name, revision }: Worker, group: InstanceContainers) =>
      group.length === revisions.get(`${name}/revisions/${revision}`)?.containers.length && group.every(isWanted)
    const left = await takeLeft(needs, project, 'worker', isWhole, closing.signal, () => adopted.add(project))
    for (const { owner, containers } of left) runOf(owner.name).adopt(containers)
  }
  const isWanted = (container: Container): boolean => {
    const owner = ownerOf(container, 'worker')
    return container.state !== 'exited' && owner !== undefined && wanted(owner.name).has(owner.revision)
  }
  const settleAtOnce = async (name: string) => {
    const pool = store.find(name)
    if (pool?.reconciling !== true) return
    const id = lastPart(pool.latestCreatedRevision)
    if (running(name, id) >= (wanted(name).get(id) ?? 0)) await finish(name)
  }

  const tellGone = (name: string) => {
    const gone = new CloudError('ABORTED', `Worker pool '${name}' was deleted meanwhile.`, 'Create it again.')
    for (const done of waiting.get(name) ?? []) done.reject(gone)
    waiting.delete(name)
  }
  const stopProject = async (project: string) => {
    const own = [...runs].filter(([name]) => projectOf(name) === project)
    for (const [, run] of own) run.look()
    await Promise.all(own.map(([, run]) => run.stopped()))
    for (const [name] of own) runs.delete(name) // with its back-off: the next start is at once
  }

  return {
    async rollOut(pool) {
      const done = Promise.withResolvers<WorkerPool>()
      done.promise.catch(() => {})
      waiting.set(pool.name, [...(waiting.get(pool.name) ?? []), done])
      try {
        await adoptLeft(projectOf(pool.name))
        runOf(pool.name).look()
        await settleAtOnce(pool.name)
      } catch (error) {
        await finish(pool.name, error)
      }
      return done.promise
    },
    async remove(pool) {
      tellGone(pool.name)
      const run = runOf(pool.name)
      run.look()
      await run.stopped()
      runs.delete(pool.name)
    },
    wants: isWanted,
    async resume() {
      for (const pool of store.list('')) {
        const project = projectOf(pool.name)
        if (!needs.isUp(project)) continue
        try {
          await adoptLeft(project)
          runOf(pool.name).look()
          await settleAtOnce(pool.name)
        } catch (error) {
          needs.log.warn({ err: error, pool: pool.name }, 'a worker pool waits for its engine')
        }
      }
    },
    stopProject,
    async removeProject(project) {
      for (const name of waiting.keys()) if (projectOf(name) === project) tellGone(name)
      await stopProject(project)
    },
    async [Symbol.asyncDispose]() {
      closing.abort(new Error('The daemon ends.'))
      await needs.containerLog.flush().catch(() => {})
    },
  }
}

/** Instances of each revision. While the newest one is rolled out, what ran before stays wanted. Pure. */
export function wantedInstances(pool: WorkerPool): Map<string, number> {
  const total = pool.scaling?.manualInstanceCount ?? defaultWorkers
  const candidate = shareOut(resolveSplits(pool.instanceSplits, lastPart(pool.latestCreatedRevision)), total)
  const serving = shareOut(resolveSplits(pool.instanceSplits, lastPart(pool.latestReadyRevision)), total)
  if (!pool.reconciling) return onlyPositive(serving)
  const id = lastPart(pool.latestCreatedRevision)
  return onlyPositive(new Map([...serving, [id, candidate.get(id) ?? 0]]))
}

function onlyPositive(counts: ReadonlyMap<string, number>): Map<string, number> {
  return new Map([...counts].filter(([, count]) => count > 0))
}
