import type { HandlerContext } from '@connectrpc/connect'
import { callerOf } from '../../../api/caller.ts'
import { WorkerPools } from '../../../api/gen/google/cloud/run/v2/worker_pool_pb.ts'
import type { IamPolicies } from '../../../api/iam-policy.ts'
import { service, type Service } from '../../../api/product.ts'
import { lastPart } from '../../../base/last-part.ts'
import type { Container } from '../../../engine/engine.ts'
import type { RunNeeds } from '../needs.ts'
import { openRevisionApi, type RevisionApi } from '../revisions/revision-api.ts'
import { openPoolRevisions } from './pool-revisions.ts'
import { openRollouts, wantedInstances } from './rollouts.ts'
import { openPoolStore, openWorkerPoolApi, type WorkerPoolApi } from './worker-pools.ts'

/** Cloud Run worker pools: what is served, and what the daemon asks of them. */
export interface RunWorkerPools extends AsyncDisposable {
  readonly services: readonly Service[]
  /** The methods themselves, for another wire. */
  readonly pools: WorkerPoolApi
  /** google.cloud.run.v2.Revisions, for names below `workerPools/`. */
  readonly revisions: RevisionApi
  /** False when nobody wants the container any more. */
  adopt(container: Container): boolean
  /** Starts what is wanted of every project that is up, and goes on with what an earlier daemon left. */
  resume(): Promise<void>
  stopProject(project: string): Promise<void>
  removeProject(project: string): Promise<void>
  /** Ids of the projects that have some. */
  projects(): readonly string[]
}

export function openRunWorkerPools(needs: RunNeeds, policies: IamPolicies): RunWorkerPools {
  const rows = openPoolRevisions(needs)
  const store = openPoolStore(needs, rows)
  const rollouts = openRollouts(needs, store, rows)
  const pools = openWorkerPoolApi(needs, store, rows, rollouts)
  const caller = (context: HandlerContext) => callerOf(context).email
  return {
    services: [
      service(WorkerPools, {
        createWorkerPool: ({ parent, workerPoolId: id, workerPool: sent, validateOnly }, context) =>
          pools.writes.create({ parent, id, sent, validateOnly }, caller(context)),
        getWorkerPool: (request) => pools.getWorkerPool(request),
        listWorkerPools: (request) => pools.listWorkerPools(request),
        updateWorkerPool: ({ workerPool: sent, updateMask, allowMissing, validateOnly, forceNewRevision }, context) =>
          pools.writes.update({ sent, mask: updateMask?.paths ?? [], allowMissing, validateOnly, forceNewRevision }, caller(context)),
        deleteWorkerPool: (request) => pools.writes.delete(request),
        ...policies.rpcs((name) => store.get(name).name),
      }),
    ],
    pools,
    revisions: openRevisionApi(needs, store, rows, {
      whyKept: (pool, { name }) =>
        wantedInstances(pool).has(lastPart(name)) || [pool.latestCreatedRevision, pool.latestReadyRevision].includes(name)
          ? { why: 'its worker pool uses it', next: 'Update the pool first.' }
          : undefined,
      stop: () => Promise.resolve(), // nothing runs for it
    }),
    adopt: (container) => rollouts.wants(container),
    resume: () => rollouts.resume(),
    stopProject: (project) => rollouts.stopProject(project),
    async removeProject(project) {
      await store.deleteBelow(`projects/${project}`)
      await rollouts.removeProject(project)
    },
    projects: () => store.projects(),
    [Symbol.asyncDispose]: () => rollouts[Symbol.asyncDispose](),
  }
}
