import { clone, create } from '@bufbuild/protobuf'
import { timestampFromMs } from '@bufbuild/protobuf/wkt'
import {
  Condition_CommonReason,
  Condition_ExecutionReason,
  Condition_State,
  type Condition,
} from '../../../api/gen/google/cloud/run/v2/condition_pb.ts'
import type { Execution } from '../../../api/gen/google/cloud/run/v2/execution_pb.ts'
import { TaskAttemptResultSchema, TaskSchema, type Task } from '../../../api/gen/google/cloud/run/v2/task_pb.ts'
import { TaskTemplateSchema } from '../../../api/gen/google/cloud/run/v2/task_template_pb.ts'
import { StatusSchema } from '../../../api/gen/google/rpc/status_pb.ts'
import { condition } from '../conditions.ts'
import { defaultRetries } from '../defaults.ts'
import { toMs } from './execution-status.ts'
import { readExecutionName, taskId } from './names.ts'
import type { TaskRow } from './task-rows.ts'

const { CONDITION_FAILED, CONDITION_PENDING, CONDITION_RECONCILING, CONDITION_SUCCEEDED } = Condition_State

/** Google's Task of a row and the execution that it is of. */
export function toTask(execution: Execution, row: TaskRow): Task {
  const { job, execution: id } = readExecutionName(execution.name)
  const template = execution.template === undefined ? create(TaskTemplateSchema) : clone(TaskTemplateSchema, execution.template)
  const { containers, volumes, timeout, serviceAccount, executionEnvironment, vpcAccess } = template
  const isDone = row.completedMs > 0
  const task = create(TaskSchema, {
    name: `${execution.name}/tasks/${taskId(id, row.index)}`,
    uid: uidOf(execution.uid, row.index),
    generation: 1n,
    observedGeneration: isDone ? 1n : 0n,
    labels: execution.labels,
    annotations: execution.annotations,
    job,
    execution: id,
    maxRetries: template.retries.value ?? defaultRetries,
    serviceAccount,
    executionEnvironment,
    reconciling: !isDone,
    conditions: conditionsOf(execution, row),
    index: row.index,
    retried: row.attempt,
    logUri: execution.logUri,
    etag: `"${row.state}-${row.attempt}"`,
  })
  task.containers = containers
  task.volumes = volumes
  if (timeout !== undefined) task.timeout = timeout
  if (vpcAccess !== undefined) task.vpcAccess = vpcAccess
  if (execution.createTime !== undefined) {
    task.createTime = execution.createTime
    task.scheduledTime = execution.createTime
  }
  task.updateTime = timestampFromMs(Math.max(row.completedMs, row.startedMs, toMs(execution.createTime)))
  if (row.firstStartedMs > 0) task.startTime = timestampFromMs(row.firstStartedMs)
  if (isDone) task.completionTime = timestampFromMs(row.completedMs)
  if (row.last !== undefined) {
    const { exitCode, signal, code, message } = row.last
    task.lastAttemptResult = create(TaskAttemptResultSchema, {
      status: create(StatusSchema, { code, message: code === 0 ? '' : message }),
      exitCode: signal === 0 ? exitCode : 0,
      termSignal: signal,
    })
  }
  return task
}

function conditionsOf({ createTime }: Execution, row: TaskRow): Condition[] {
  const at = new Date(row.completedMs || row.startedMs || toMs(createTime))
  const hasStarted = row.firstStartedMs > 0
  const started = condition('Started', hasStarted ? CONDITION_SUCCEEDED : CONDITION_PENDING, '', new Date(row.firstStartedMs || at))
  switch (row.state) {
    case 'succeeded':
      return [condition('Completed', CONDITION_SUCCEEDED, 'Task completed successfully.', at), started]
    case 'failed': {
      const told = condition('Completed', CONDITION_FAILED, row.last?.message ?? '', at)
      told.reasons =
        (row.last?.exitCode ?? 0) === 0
          ? { case: 'reason', value: Condition_CommonReason.UNKNOWN }
          : { case: 'executionReason', value: Condition_ExecutionReason.NON_ZERO_EXIT_CODE }
      return [told, started]
    }
    case 'cancelled': {
      const told = condition('Completed', CONDITION_FAILED, 'The task was cancelled.', at)
      told.reasons = { case: 'executionReason', value: Condition_ExecutionReason.CANCELLED }
      return [told, started]
    }
    default:
      return [condition('Completed', hasStarted ? CONDITION_RECONCILING : CONDITION_PENDING, 'Waiting for task to complete.', at), started]
  }
}

/** A UUID of the execution's and the index: the same each time it is asked for. */
function uidOf(uid: string, index: number): string {
  const word = (Number.parseInt(uid.slice(0, 8), 16) ^ (index + 1)) >>> 0
  return word.toString(16).padStart(8, '0') + uid.slice(8)
}
