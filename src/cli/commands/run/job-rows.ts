import type { Row } from '../../format/project-row.ts'
import type { Knative } from './knative.ts'
import { commonColumns } from './service-rows.ts'

const time = 'date("%Y-%m-%d %H:%M:%S %Z")'
/** The columns of `gcloud run jobs list`, `jobs executions list`, `jobs executions tasks list`. */
export const jobTable = `table(ready_symbol:label="",name:label=JOB,region:label=REGION,status.latestCreatedExecution.creationTimestamp.${time}:label="LAST RUN AT",creation_timestamp.${time}:label=CREATED,author:label="CREATED BY")`
export const executionTable = `table(ready_symbol:label="",job_name:label=JOB,name:label=EXECUTION,region:label=REGION,status.runningCount.yesno(no="0"):label=RUNNING,succeeded_status:label=COMPLETE,creation_timestamp.${time}:label=CREATED,author:label="RUN BY")`
export const taskTable = `table(ready_symbol:label="",index,running_state:label=STATE,name:label=TASK,start_time.${time}:label=STARTED,completion_time.${time}:label=COMPLETED,retries)`

export function jobRow(job: Knative): Row {
  return { resource: job, derived: commonColumns(job) }
}

/** What tells of an execution's tasks. */
export interface ExecutionStatus {
  readonly runningCount?: number
  readonly succeededCount?: number
  readonly failedCount?: number
  readonly cancelledCount?: number
  readonly completionTime?: string
}

export function executionRow(execution: Knative): Row {
  const { taskCount = 1 } = execution['spec'] as { readonly taskCount?: number }
  const { succeededCount = 0 } = (execution.status ?? {}) as ExecutionStatus
  return {
    resource: execution,
    derived: {
      ...commonColumns(execution, 'Completed'),
      job_name: execution.metadata.labels?.['run.googleapis.com/job'],
      succeeded_status: `${succeededCount} / ${taskCount}`,
    },
  }
}

export function taskRow(task: Knative): Row {
  const status = (task.status ?? {}) as {
    readonly index?: number
    readonly startTime?: string
    readonly completionTime?: string
    readonly retried?: number
  }
  const completed = task.status?.conditions?.find(({ type }) => type === 'Completed')?.status
  const state =
    completed === 'True' ? 'Succeeded' : completed === 'False' ? 'Failed' : status.startTime === undefined ? 'Pending' : 'Running'
  return {
    resource: task,
    derived: {
      ...commonColumns(task, 'Completed'),
      index: status.index ?? 0,
      running_state: state,
      start_time: status.startTime,
      completion_time: status.completionTime,
      retries: status.retried ?? 0,
    },
  }
}
