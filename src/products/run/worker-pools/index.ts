import type { HandlerContext } from '@connectrpc/connect'
import { create } from '@bufbuild/protobuf'
import {
  ListRevisionsResponseSchema,
  RevisionSchema,
  type DeleteRevisionRequest,
  type GetRevisionRequest,
  type ListRevisionsRequest,
  type ListRevisionsResponse,
  type Revision,
} from '../../../api/gen/google/cloud/run/v2/revision_pb.ts'
import { WorkerPools } from '../../../api/gen/google/cloud/run/v2/worker_pool_pb.ts'
import type { Operation } from '../../../api/gen/google/longrunning/operations_pb.ts'
import { callerOf } from '../../../api/caller.ts'
import type { IamPolicies } from '../../../api/iam-policy.ts'
import { paginateList } from '../../../api/pages.ts'
import { service, type Service } from '../../../api/product.ts'
import { CloudError } from '../../../base/cloud-error.ts'
import type { Container } from '../../../engine/engine.ts'
import type { RunNeeds } from '../needs.ts'
import { checkEtag } from '../etags.ts'
import { openPoolRevisions } from './pool-revisions.ts'
import { openRollouts, wantedInstances } from './rollouts.ts'
import { openPoolStore, openWorkerPoolApi, type WorkerPoolApi } from './worker-pools.ts'

/** Cloud Run worker pools: what is served, and what the daemon asks of them. */
export interface RunWorkerPools extends AsyncDisposable {
  readonly services: readonly Service[]
  /** The methods themselves, for another wire. */
  readonly pools: WorkerPoolApi
  /** google.cloud.run.v2.Revisions, for names below `workerPools/`. */
  readonly revisions: {
    /** Of the pools below `parent`. */
    all(parent: string): readonly Revision[]
    getRevision(request: GetRevisionRequest): Revision
    listRevisions(request: ListRevisionsRequest): ListRevisionsResponse
    deleteRevision(request: DeleteRevisionRequest): Promise<Operation>
  }
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
  const getRevision = (name: string): Revision => {
    const [, parent, id = ''] = /^(.+)\/revisions\/([^/]+)$/.exec(name) ?? []
    const found = parent === undefined ? undefined : rows.get(`${store.canonical(parent)}/revisions/${id}`)
    if (found !== undefined) return found
    throw new CloudError('NOT_FOUND', `Revision '${id || name}' was not found.`, 'List the revisions of the worker pool.')
  }
  return {
    services: [
      service(WorkerPools, {
        createWorkerPool: (request, context) => pools.createWorkerPool(request, caller(context)),
        getWorkerPool: (request) => pools.getWorkerPool(request),
        listWorkerPools: (request) => pools.listWorkerPools(request),
        updateWorkerPool: (request, context) => pools.updateWorkerPool(request, caller(context)),
        deleteWorkerPool: (request) => pools.deleteWorkerPool(request),
        ...policies.rpcs((name) => store.get(name).name),
      }),
    ],
    pools,
    revisions: {
      all: (parent) => store.newest(parent).flatMap(({ name }) => rows.list(name)),
      getRevision: ({ name }) => getRevision(name),
      listRevisions({ parent, pageSize, pageToken }) {
        const page = paginateList(rows.list(store.get(parent).name), pageSize, pageToken)
        return create(ListRevisionsResponseSchema, { revisions: [...page.items], nextPageToken: page.nextPageToken })
      },
      async deleteRevision({ name, etag, validateOnly }) {
        const revision = getRevision(name)
        checkEtag(etag, revision.etag)
        const [parent = '', id = ''] = revision.name.split('/revisions/')
        const pool = store.get(parent)
        if (wantedInstances(pool).has(id) || [pool.latestCreatedRevision, pool.latestReadyRevision].includes(revision.name))
          throw new CloudError(
            'FAILED_PRECONDITION',
            `Revision '${id}' cannot be deleted: its worker pool uses it.`,
            'Update the pool first.',
          )
        const about = { parent: parent.replace(/\/workerPools\/.*/, ''), metadata: [RevisionSchema, revision] as const }
        if (validateOnly) return needs.operations.done(about, about.metadata)
        await rows.remove(revision.name)
        return needs.operations.start(about, async () => about.metadata)
      },
    },
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
