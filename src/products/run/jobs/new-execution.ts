import { create } from '@bufbuild/protobuf'
import { timestampFromMs } from '@bufbuild/protobuf/wkt'
import { Condition_ExecutionReason, Condition_State } from '../../../api/gen/google/cloud/run/v2/condition_pb.ts'
import { ExecutionSchema, type Execution } from '../../../api/gen/google/cloud/run/v2/execution_pb.ts'
import type { ExecutionTemplate } from '../../../api/gen/google/cloud/run/v2/execution_template_pb.ts'
import {
  ExecutionReferenceSchema,
  ExecutionReference_CompletionStatus,
  type ExecutionReference,
  type Job,
} from '../../../api/gen/google/cloud/run/v2/job_pb.ts'
import { lastPart } from '../../../base/last-part.ts'
import { newEtag } from '../etags.ts'
import { jobKind, readName } from '../names.ts'
import { isOver, setStatus } from './execution-status.ts'

/** An execution of `job` that has not begun. @param template the job's, with the overrides of this run */
export function newExecution(job: Job, template: ExecutionTemplate, id: string, creator: string, nowMs: number): Execution {
  const { project, region, id: jobId } = readName(jobKind, job.name)
  const execution = create(ExecutionSchema, {
    name: `${job.name}/executions/${id}`,
    uid: crypto.randomUUID(),
    creator,
    generation: 1n,
    observedGeneration: 1n,
    labels: { ...job.labels, ...template.labels },
    annotations: { ...job.annotations, ...template.annotations },
    createTime: timestampFromMs(nowMs),
    launchStage: job.launchStage,
    job: jobId,
    parallelism: Math.min(template.parallelism, template.taskCount),
    taskCount: template.taskCount,
    logUri: `devcloud:logs?project=${project}&location=${region}&job=${jobId}&execution=${id}`,
    etag: newEtag(),
  })
  if (template.template !== undefined) execution.template = template.template
  setStatus(execution, [], undefined, nowMs)
  return execution
}

/** What a job tells of an execution. */
export function toReference(execution: Execution): ExecutionReference {
  const { name, createTime, completionTime } = execution
  return create(ExecutionReferenceSchema, {
    name: lastPart(name),
    completionStatus: completionStatus(execution),
    ...(createTime !== undefined && { createTime }),
    ...(completionTime !== undefined && { completionTime }),
  })
}

function completionStatus(execution: Execution): ExecutionReference_CompletionStatus {
  const { EXECUTION_CANCELLED, EXECUTION_FAILED, EXECUTION_PENDING, EXECUTION_RUNNING, EXECUTION_SUCCEEDED } =
    ExecutionReference_CompletionStatus
  if (!isOver(execution)) return execution.startTime === undefined ? EXECUTION_PENDING : EXECUTION_RUNNING
  const completed = execution.conditions.find(({ type }) => type === 'Completed')
  if (completed?.state === Condition_State.CONDITION_SUCCEEDED) return EXECUTION_SUCCEEDED
  return completed?.reasons.value === Condition_ExecutionReason.CANCELLED && completed.reasons.case === 'executionReason'
    ? EXECUTION_CANCELLED
    : EXECUTION_FAILED
}
