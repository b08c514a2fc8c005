import { clone, create } from '@bufbuild/protobuf'
import { timestampFromMs } from '@bufbuild/protobuf/wkt'
import { LaunchStage } from '../../../api/gen/google/api/launch_stage_pb.ts'
import {
  ListWorkerPoolsResponseSchema,
  WorkerPoolSchema,
  type CreateWorkerPoolRequest,
  type DeleteWorkerPoolRequest,
  type GetWorkerPoolRequest,
  type ListWorkerPoolsRequest,
  type ListWorkerPoolsResponse,
  type UpdateWorkerPoolRequest,
  type WorkerPool,
} from '../../../api/gen/google/cloud/run/v2/worker_pool_pb.ts'
import type { Operation } from '../../../api/gen/google/longrunning/operations_pb.ts'
import { applyMask } from '../../../api/masks.ts'
import type { Packed } from '../../../api/operations.ts'
import { paginateList } from '../../../api/pages.ts'
import { readMessage, writeMessage } from '../../../api/message-row.ts'
import { CloudError } from '../../../base/cloud-error.ts'
import { lastPart } from '../../../base/last-part.ts'
import { openCollection, projectsIn } from '../../../state/collection.ts'
import { byNewest } from '../by-newest.ts'
import type { RunNeeds } from '../needs.ts'
import { checkEtag, newEtag } from '../etags.ts'
import { checkId, locationOf, notFound, poolKind, readName } from '../names.ts'
import { fillPool } from './fill-pool.ts'
import { markRolling } from './pool-status.ts'
import type { PoolRevisions } from './pool-revisions.ts'
import { resolveSplits } from './splits.ts'
import { unactedFields, unactedWords } from '../unacted-fields.ts'

/** Worker pools as rows of the state. */
export interface PoolStore {
  /** The name with the project's id. */
  canonical(name: string): string
  find(name: string): WorkerPool | undefined
  /** @throws CloudError NOT_FOUND */
  get(name: string): WorkerPool
  /** Newest first. */
  list(prefix: string): readonly WorkerPool[]
  put(pool: WorkerPool): Promise<void>
  delete(name: string): Promise<boolean>
  /** Deletes all under `prefix`; none is read. */
  deleteAll(prefix: string): Promise<void>
  /** Ids of the projects that have some. */
  projects(): readonly string[]
}

/** google.cloud.run.v2.WorkerPools. `caller` is an email. */
export interface WorkerPoolApi {
  /** Those whose name begins with `prefix`, newest first. */
  all(prefix: string): readonly WorkerPool[]
  createWorkerPool(request: CreateWorkerPoolRequest, caller: string): Promise<Operation>
  getWorkerPool(request: Pick<GetWorkerPoolRequest, 'name'>): WorkerPool
  listWorkerPools(request: Pick<ListWorkerPoolsRequest, 'parent' | 'pageSize' | 'pageToken'>): ListWorkerPoolsResponse
  updateWorkerPool(request: UpdateWorkerPoolRequest, caller: string): Promise<Operation>
  deleteWorkerPool(request: Pick<DeleteWorkerPoolRequest, 'name' | 'etag' | 'validateOnly'>): Promise<Operation>
}

/** What the API has done for it. */
export interface Rollouts {
  /** Resolves with the pool when what it wants runs. @throws CloudError when its revision does not come up */
  rollOut(pool: WorkerPool): Promise<WorkerPool>
  /** Stops what runs, and forgets its revisions. */
  remove(pool: WorkerPool): Promise<void>
}

export function openPoolStore(needs: Pick<RunNeeds, 'state' | 'project'>): PoolStore {
  const rows = openCollection(needs.state, 'run.workerpool')
  const read = (value: string): WorkerPool => readMessage(WorkerPoolSchema, value)
  const canonical = (name: string) => {
    const { project, region, id } = readName(poolKind, name)
    return `projects/${needs.project(project).id}/locations/${region}/workerPools/${id}`
  }
  const find = (name: string) => {
    const value = rows.get(canonical(name))
    return value === undefined ? undefined : read(value)
  }
  return {
    canonical,
    find,
    get(name) {
      const found = find(name)
      if (found !== undefined) return found
      throw notFound(poolKind, readName(poolKind, name))
    },
    list: (prefix) =>
      rows
        .list(prefix)
        .map(({ value }) => read(value))
        .toSorted(byNewest),
    put: (pool) => rows.put(pool.name, writeMessage(WorkerPoolSchema, pool)),
    delete: (name) => rows.delete(name),
    deleteAll: (prefix) => rows.deleteAll(prefix),
    projects: () => projectsIn(rows),
  }
}

export function openWorkerPoolApi(needs: RunNeeds, store: PoolStore, revisions: PoolRevisions, rollouts: Rollouts): WorkerPoolApi {
  const about = (pool: WorkerPool): { parent: string; metadata: Packed<typeof WorkerPoolSchema> } => ({
    parent: locationOf(pool.name),
    metadata: [WorkerPoolSchema, pool],
  })
  const done = (pool: WorkerPool) => needs.operations.done(about(pool), about(pool).metadata)
  const make = (sent: WorkerPool | undefined, name: string, caller: string): WorkerPool => {
    const pool = fillPool(sent ?? create(WorkerPoolSchema), name)
    pool.uid = crypto.randomUUID()
    pool.generation = 1n
    pool.creator = caller
    pool.createTime = timestampFromMs(needs.clock.nowMs())
    return stamped(pool, caller)
  }
  const stamped = (pool: WorkerPool, caller: string): WorkerPool => {
    pool.lastModifier = caller
    pool.launchStage ||= LaunchStage.GA
    pool.updateTime = timestampFromMs(needs.clock.nowMs())
    pool.etag = newEtag()
    return pool
  }
  const apply = async (pool: WorkerPool, isForced: boolean): Promise<Operation> => {
    const unacted = unactedFields(pool)
    if (unacted.length > 0) needs.log.warn({ workerPool: pool.name }, unactedWords(unacted))
    const { revision, saved } = revisions.forTemplate(pool, isForced)
    pool.latestCreatedRevision = revision.name
    checkNamed(pool, revisions)
    pool.instanceSplitStatuses = resolveSplits(pool.instanceSplits, lastPart(pool.latestReadyRevision))
    markRolling(pool, new Date(needs.clock.nowMs()))
    await Promise.all([saved, store.put(pool)])
    return needs.operations.start(about(pool), async () => [WorkerPoolSchema, await rollouts.rollOut(pool)])
  }
  return {
    all: (prefix) => store.list(prefix),
    async createWorkerPool(request, caller) {
      checkId(poolKind, request.workerPoolId)
      const name = store.canonical(`${request.parent}/workerPools/${request.workerPoolId}`)
      if (store.find(name) !== undefined)
        throw new CloudError('ALREADY_EXISTS', `Resource '${request.workerPoolId}' already exists.`, 'Update it, or choose another id.')
      const pool = make(request.workerPool, name, caller)
      return request.validateOnly ? done(pool) : apply(pool, false)
    },
    getWorkerPool: ({ name }) => store.get(name),
    listWorkerPools(request) {
      const { project, region } = readName(poolKind, `${request.parent}/workerPools/x`)
      const all = store.list(`projects/${needs.project(project).id}/locations/${region}/workerPools/`)
      const page = paginateList(all, request.pageSize, request.pageToken)
      return create(ListWorkerPoolsResponseSchema, { workerPools: [...page.items], nextPageToken: page.nextPageToken })
    },
    async updateWorkerPool(request, caller) {
      const sent = request.workerPool ?? create(WorkerPoolSchema)
      const name = store.canonical(sent.name)
      const current = request.allowMissing ? store.find(name) : store.get(name)
      if (current === undefined) checkId(poolKind, lastPart(name))
      else checkEtag(sent.etag, current.etag)
      const mask = request.updateMask?.paths ?? []
      const wanted = current === undefined || mask.length === 0 ? sent : applyMask(WorkerPoolSchema, current, sent, mask)
      const pool = current === undefined ? make(wanted, name, caller) : stamped(keepServerFields(fillPool(wanted, name), current), caller)
      return request.validateOnly ? done(pool) : apply(pool, request.forceNewRevision)
    },
    async deleteWorkerPool(request) {
      const pool = store.get(request.name)
      checkEtag(request.etag, pool.etag)
      if (request.validateOnly) return done(pool)
      await store.delete(pool.name)
      return needs.operations.start(about(pool), async () => {
        await rollouts.remove(pool)
        const deleted = clone(WorkerPoolSchema, pool)
        deleted.deleteTime = timestampFromMs(needs.clock.nowMs())
        return [WorkerPoolSchema, deleted]
      })
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

function keepServerFields(pool: WorkerPool, current: WorkerPool): WorkerPool {
  pool.uid = current.uid
  pool.generation = current.generation + 1n
  pool.observedGeneration = current.observedGeneration
  pool.creator = current.creator
  if (current.createTime !== undefined) pool.createTime = current.createTime
  pool.latestReadyRevision = current.latestReadyRevision
  return pool
}
