import { create } from '@bufbuild/protobuf'
import type { Execution } from '../../../api/gen/google/cloud/run/v2/execution_pb.ts'
import {
  ListTasksResponseSchema,
  type GetTaskRequest,
  type ListTasksRequest,
  type ListTasksResponse,
  type Task,
} from '../../../api/gen/google/cloud/run/v2/task_pb.ts'
import { paginateList } from '../../../api/pages.ts'
import { CloudError } from '../../../base/cloud-error.ts'
import type { Resources } from '../../../state/resources.ts'
import { byNewest } from '../by-newest.ts'
import type { RunNeeds } from '../needs.ts'
import { readExecutionName, readTaskName, taskId } from './names.ts'
import type { TaskRows } from './task-rows.ts'
import { toTask } from './to-task.ts'

/** google.cloud.run.v2.Tasks. */
export interface TaskApi {
  /** Those below `parent`: by execution, newest first, then by index. */
  all(parent: string): readonly Task[]
  getTask(request: GetTaskRequest): Task
  /** By execution, newest first, then by index. `executions/-` and `jobs/-` are all of them. */
  listTasks(request: ListTasksRequest): ListTasksResponse
}

export function openTasks(needs: RunNeeds, executions: Resources<Execution>, rows: TaskRows): TaskApi {
  const parentOf = ({ project, region, job }: { readonly project: string; readonly region: string; readonly job: string }) =>
    `projects/${needs.project(project).id}/locations/${region}/jobs${job === '-' ? '' : `/${job}/executions`}`

  const executionsOf = (parent: string): readonly Execution[] => {
    const name = readExecutionName(parent)
    if (name.execution === '-') return executions.list(parentOf(name)).toSorted(byNewest)
    const found = name.job === '-' ? undefined : executions.find(`${parentOf(name)}/${name.execution}`)
    if (found !== undefined) return [found]
    throw new CloudError('NOT_FOUND', `Resource '${name.execution}' of kind 'EXECUTION' does not exist.`, 'List the executions of the job.')
  }
  return {
    all: (parent) =>
      executions
        .list(parent)
        .toSorted(byNewest)
        .flatMap((execution) => rows.list(execution.name).map((row) => toTask(execution, row))),
    getTask({ name }) {
      const told = readTaskName(name)
      const execution = executions.find(`${parentOf(told)}/${told.execution}`)
      const [, index = ''] = /-task(0|[1-9]\d*)$/.exec(told.task) ?? []
      const row = execution === undefined ? undefined : rows.get(execution.name, Number(index))
      if (execution !== undefined && row !== undefined && taskId(told.execution, row.index) === told.task) return toTask(execution, row)
      throw new CloudError(
        'NOT_FOUND',
        `Resource '${told.task}' of kind 'TASK' in region '${told.region}' in project '${told.project}' does not exist.`,
        'List the tasks of the execution.',
      )
    },
    listTasks({ parent, pageSize, pageToken }) {
      const all = executionsOf(parent).flatMap((execution) =>
        rows.list(execution.name).map((row) => ({ name: `${execution.name}/${row.index}`, execution, row })),
      )
      const page = paginateList(all, pageSize, pageToken)
      const tasks = page.items.map(({ execution, row }) => toTask(execution, row))
      return create(ListTasksResponseSchema, { tasks, nextPageToken: page.nextPageToken })
    },
  }
}
