import { clone, create } from '@bufbuild/protobuf'
import {
  ListWorkerPoolsResponseSchema,
  WorkerPoolSchema,
  type GetWorkerPoolRequest,
  type ListWorkerPoolsRequest,
  type ListWorkerPoolsResponse,
  type WorkerPool,
} from '../../../api/gen/google/cloud/run/v2/worker_pool_pb.ts'
import { CloudError } from '../../../base/cloud-error.ts'
import { lastPart } from '../../../base/last-part.ts'
import { poolKind } from '../names.ts'
import type { RunNeeds } from '../needs.ts'
import { aboutResource, openWrites, stamp, type ResourceWrites } from '../resource-writes.ts'
import { openRunResources, rowKinds, type RunResources } from '../resources.ts'
import { unactedFields, unactedWords } from '../unacted-fields.ts'
import { fillPool } from './fill-pool.ts'
import type { PoolRevisions } from './pool-revisions.ts'
import { markRolling } from './pool-status.ts'
import { resolveSplits } from './splits.ts'

/** Worker pools as rows of the state; their revisions go with them. */
export type PoolStore = RunResources<WorkerPool>

export function openPoolStore(needs: Pick<RunNeeds, 'state' | 'project'>, revisions: PoolRevisions): PoolStore {
  return openRunResources(needs, poolKind, rowKinds.pool, [revisions])
}

/** google.cloud.run.v2.WorkerPools. `caller` is an email. */
export interface WorkerPoolApi {
  /** Those below `parent`, newest first. */
  all(parent: string): readonly WorkerPool[]
  /** Create, update and delete. */
  readonly writes: ResourceWrites<WorkerPool>
  getWorkerPool(request: Pick<GetWorkerPoolRequest, 'name'>): WorkerPool
  listWorkerPools(request: Pick<ListWorkerPoolsRequest, 'parent' | 'pageSize' | 'pageToken'>): ListWorkerPoolsResponse
}

/** What the API has done for it. */
export interface Rollouts {
  /** Resolves with the pool when what it wants runs. @throws CloudError when its revision does not come up */
  rollOut(pool: WorkerPool): Promise<WorkerPool>
  /** Stops what runs. */
  remove(pool: WorkerPool): Promise<void>
}

export function openWorkerPoolApi(needs: RunNeeds, store: PoolStore, revisions: PoolRevisions, rollouts: Rollouts): WorkerPoolApi {
  const now = () => new Date(needs.clock.nowMs())
  const writes = openWrites(needs, poolKind, WorkerPoolSchema, store, {
    toStored(sent, name, current, caller) {
      const pool = fillPool(sent, name)
      stamp(pool, current, caller, now())
      pool.latestReadyRevision = current?.latestReadyRevision ?? ''
      return pool
    },
    async apply(pool, _current, isForced) {
      const unacted = unactedFields(pool)
      if (unacted.length > 0) needs.log.warn({ workerPool: pool.name }, unactedWords(unacted))
      const { revision, saved } = revisions.forTemplate(pool, isForced)
      pool.latestCreatedRevision = revision.name
      checkNamed(pool, revisions)
      pool.instanceSplitStatuses = resolveSplits(pool.instanceSplits, lastPart(pool.latestReadyRevision))
      markRolling(pool, now())
      await Promise.all([saved, store.put(pool)])
      return needs.operations.start(aboutResource(WorkerPoolSchema, pool), async () => [WorkerPoolSchema, await rollouts.rollOut(pool)])
    },
    async delete(pool) {
      await store.delete(pool.name)
      return async () => {
        await rollouts.remove(pool)
        return clone(WorkerPoolSchema, pool)
      }
    },
  })
  return {
    all: (parent) => store.newest(parent),
    writes,
    getWorkerPool: ({ name }) => store.get(name),
    listWorkerPools(request) {
      const { items, nextPageToken } = store.page(request)
      return create(ListWorkerPoolsResponseSchema, { workerPools: [...items], nextPageToken })
    },
  }
}

/** @throws CloudError FAILED_PRECONDITION for a split to a revision that there is not */
function checkNamed(pool: WorkerPool, revisions: PoolRevisions): void {
  for (const { revision } of pool.instanceSplits) {
    if (revision === '' || revisions.get(`${pool.name}/revisions/${revision}`) !== undefined) continue
    if (lastPart(pool.latestCreatedRevision) === revision) continue
    throw new CloudError('FAILED_PRECONDITION', `Revision '${revision}' does not exist.`, 'Name one that is listed.')
  }
}
