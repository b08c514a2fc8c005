import type { Message } from '@bufbuild/protobuf'
import { ExecutionSchema } from '../../api/gen/google/cloud/run/v2/execution_pb.ts'
import { JobSchema } from '../../api/gen/google/cloud/run/v2/job_pb.ts'
import { RevisionSchema } from '../../api/gen/google/cloud/run/v2/revision_pb.ts'
import { ServiceSchema } from '../../api/gen/google/cloud/run/v2/service_pb.ts'
import { WorkerPoolSchema } from '../../api/gen/google/cloud/run/v2/worker_pool_pb.ts'
import { messageKind } from '../../api/message-row.ts'
import { paginateList, type Page } from '../../api/pages.ts'
import type { Belongings } from '../../state/belongings.ts'
import type { ResourceKind } from '../../state/resource-kind.ts'
import { openResources, type Resources } from '../../state/resources.ts'
import { byNewest, type Listed } from './by-newest.ts'
import { locationOf, notFound, readName, type RunKind } from './names.ts'
import type { RunNeeds } from './needs.ts'

/** How Cloud Run's resources are written in rows. */
export const rowKinds = {
  service: messageKind('run.service', ServiceSchema),
  deletedService: messageKind('run.service.deleted', ServiceSchema),
  revision: messageKind('run.revision', RevisionSchema),
  job: messageKind('run.job', JobSchema),
  execution: messageKind('run.execution', ExecutionSchema),
  pool: messageKind('run.workerpool', WorkerPoolSchema),
  poolRevision: messageKind('run.workerpool.revision', RevisionSchema),
}

/** Services, jobs or worker pools as rows. */
export interface RunResources<T> extends Resources<T> {
  /** Those below `parent`, newest first. */
  newest(parent: string): readonly T[]
  /** What a List method answers. @param more those that are listed too */
  page(request: ListRequest, more?: (parent: string) => readonly T[]): Page<T>
}

interface ListRequest {
  /** `projects/P/locations/R` */
  readonly parent: string
  readonly pageSize: number
  readonly pageToken: string
}

export function openRunResources<T extends Message & Listed>(
  needs: Pick<RunNeeds, 'state' | 'project'>,
  kind: RunKind,
  rows: ResourceKind<T>,
  belongings: readonly Belongings[],
): RunResources<T> {
  const canonical = (name: string) => {
    const { project, region, id } = readName(kind, name)
    return `projects/${needs.project(project).id}/locations/${region}/${kind.collection}/${id}`
  }
  const missing = (name: string) => notFound(kind, readName(kind, name))
  const resources = openResources(needs.state, rows, { canonical, missing, belongings })
  const newest = (parent: string) => resources.list(parent).toSorted(byNewest)
  return {
    ...resources,
    newest,
    page(request, more = () => []) {
      const parent = locationOf(canonical(`${request.parent}/${kind.collection}/x`))
      return paginateList([...newest(parent), ...more(parent)], request.pageSize, request.pageToken)
    },
  }
}
