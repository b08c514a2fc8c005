import { create, type MessageShape } from '@bufbuild/protobuf'
import { timestampFromMs } from '@bufbuild/protobuf/wkt'
import { Condition_State } from '../../../api/gen/google/cloud/run/v2/condition_pb.ts'
import {
  ExecutionSchema,
  ListExecutionsResponseSchema,
  type CancelExecutionRequest,
  type DeleteExecutionRequest,
  type Execution,
  type GetExecutionRequest,
  type ListExecutionsRequest,
  type ListExecutionsResponse,
} from '../../../api/gen/google/cloud/run/v2/execution_pb.ts'
import type { Operation } from '../../../api/gen/google/longrunning/operations_pb.ts'
import type { Packed, TellProgress } from '../../../api/operations.ts'
import { paginateList } from '../../../api/pages.ts'
import { CloudError } from '../../../base/cloud-error.ts'
import { lastPart } from '../../../base/last-part.ts'
import { belongingRows } from '../../../state/belongings.ts'
import { openResources, type Resources } from '../../../state/resources.ts'
import type { State } from '../../../state/state.ts'
import { byNewest } from '../by-newest.ts'
import { checkEtag } from '../etags.ts'
import { jobKind, locationOf, readName } from '../names.ts'
import type { RunNeeds } from '../needs.ts'
import { rowKinds } from '../resources.ts'
import type { Controller } from './controller.ts'
import { isOver } from './execution-status.ts'
import { readExecutionName } from './names.ts'

/** google.cloud.run.v2.Executions. */
export interface ExecutionApi {
  /** Those below `parent`, newest first. */
  all(parent: string): readonly Execution[]
  getExecution(request: GetExecutionRequest): Execution
  /** Newest first; `jobs/-` is those of every job. */
  listExecutions(request: ListExecutionsRequest): ListExecutionsResponse
  deleteExecution(request: DeleteExecutionRequest): Promise<Operation>
  cancelExecution(request: CancelExecutionRequest): Promise<Operation>
  /** Ends it, and forgets it with its tasks. */
  remove(name: string): Promise<void>
  /** The work of RunJob's operation: its metadata is the execution as it runs. @throws CloudError when the execution fails */
  follow(name: string, tell: TellProgress): Promise<Packed<typeof ExecutionSchema>>
}

export function openExecutions(needs: RunNeeds, rows: Resources<Execution>, controller: Controller): ExecutionApi {
  const get = (name: string): Execution => {
    const { project, region, job, execution } = readExecutionName(name)
    return rows.get(`projects/${needs.project(project).id}/locations/${region}/jobs/${job}/executions/${execution}`)
  }
  const remove = async (name: string) => {
    await controller.cancel(name)
    await rows.delete(name)
  }
  const about = ({ name }: Execution, metadata: Packed) => ({ parent: locationOf(name), metadata })
  return {
    all: (parent) => rows.list(parent).toSorted(byNewest),
    getExecution: ({ name }) => get(name),
    listExecutions(request) {
      const { project, region, id: job } = readName(jobKind, request.parent)
      const parent = `projects/${needs.project(project).id}/locations/${region}/jobs`
      const all = rows.list(job === '-' ? parent : `${parent}/${job}/executions`).toSorted(byNewest)
      const page = paginateList(all, request.pageSize, request.pageToken)
      return create(ListExecutionsResponseSchema, { executions: [...page.items], nextPageToken: page.nextPageToken })
    },
    deleteExecution(request) {
      const execution = get(request.name)
      checkEtag(request.etag, execution.etag)
      const told: Packed<typeof ExecutionSchema> = [ExecutionSchema, execution]
      if (request.validateOnly) return Promise.resolve(needs.operations.done(about(execution, told), told))
      return needs.operations.start(about(execution, told), async () => {
        await remove(execution.name)
        execution.deleteTime = timestampFromMs(needs.clock.nowMs())
        return told
      })
    },
    async cancelExecution(request) {
      const execution = get(request.name)
      checkEtag(request.etag, execution.etag)
      if (isOver(execution))
        throw new CloudError(
          'FAILED_PRECONDITION',
          `Execution '${lastPart(execution.name)}' is completed and cannot be cancelled.`,
          'Nothing is left to do.',
        )
      const told: Packed<typeof ExecutionSchema> = [ExecutionSchema, execution]
      if (request.validateOnly) return needs.operations.done(about(execution, told), told)
      return needs.operations.start(about(execution, told), async () => [ExecutionSchema, await controller.cancel(execution.name)])
    },
    remove,
    async follow(name, tell) {
      const unwatch = controller.watch(name, (execution) => void tell([ExecutionSchema, execution]).catch(() => {}))
      try {
        const execution = await controller.over(name)
        const failure = failureOf(execution)
        if (failure !== undefined) throw failure
        return [ExecutionSchema, execution]
      } finally {
        unwatch()
      }
    },
  }
}

/** Executions as rows; their tasks go with them. */
export function openExecutionRows(state: State): Resources<Execution> {
  const missing = (name: string) => {
    const { project, region, execution } = readExecutionName(name)
    return new CloudError(
      'NOT_FOUND',
      `Resource '${execution}' of kind 'EXECUTION' in region '${region}' in project '${project}' does not exist.`,
      'List the executions of the job.',
    )
  }
  return openResources(state, rowKinds.execution, { missing, belongings: [belongingRows(state, 'run_tasks', 'execution')] })
}

/** What RunJob's operation ends with when tasks failed. A cancelled execution is its answer, not its error (apache/airflow#62278). */
function failureOf(execution: MessageShape<typeof ExecutionSchema>): CloudError | undefined {
  const completed = execution.conditions.find(({ type }) => type === 'Completed')
  if (completed?.state !== Condition_State.CONDITION_FAILED || execution.failedCount === 0) return undefined
  const { job, execution: id } = readExecutionName(execution.name)
  return new CloudError('FAILED_PRECONDITION', completed.message, `devcloud logs ${job}`, { fault: 'EXECUTION_FAILED', evidence: [id] })
}
