import { timestampDate, timestampFromMs, timestampMs, type Timestamp } from '@bufbuild/protobuf/wkt'
import {
  Condition_CommonReason,
  Condition_ExecutionReason,
  Condition_Severity,
  Condition_State,
  type Condition,
} from '../../../api/gen/google/cloud/run/v2/condition_pb.ts'
import type { Execution } from '../../../api/gen/google/cloud/run/v2/execution_pb.ts'
import { lastPart } from '../../../base/last-part.ts'
import { condition } from '../conditions.ts'
import type { ExecutionPlan } from './decide.ts'
import { taskId } from './names.ts'
import type { TaskRow } from './task-rows.ts'

const { CONDITION_FAILED, CONDITION_RECONCILING, CONDITION_SUCCEEDED } = Condition_State

/** Writes into `execution` what is seen of its tasks: counters, times, and the conditions that gcloud's stages wait for. */
export function setStatus(execution: Execution, tasks: readonly TaskRow[], finish: ExecutionPlan['finish'], nowMs: number): void {
  const count = (...states: readonly TaskRow['state'][]) => tasks.filter(({ state }) => states.includes(state)).length
  execution.runningCount = count('running')
  execution.succeededCount = count('succeeded')
  execution.failedCount = count('failed')
  execution.cancelledCount = count('cancelled')
  execution.retriedCount = tasks.filter(({ attempt }) => attempt > 0).length
  const starts = tasks.flatMap(({ firstStartedMs }) => (firstStartedMs === 0 ? [] : [firstStartedMs]))
  if (execution.startTime === undefined && starts.length > 0) execution.startTime = timestampFromMs(Math.min(...starts))
  execution.reconciling = finish === undefined
  if (finish !== undefined) execution.completionTime ??= timestampFromMs(nowMs)
  execution.updateTime = timestampFromMs(nowMs)
  const conditions = [completed(execution, tasks, finish, nowMs), ...preparation(execution, nowMs)]
  const attempt = tasks.reduce((most, task) => Math.max(most, task.attempt), 0)
  if (attempt > 0) conditions.push(retry(attempt, nowMs))
  execution.conditions = keepTimes(execution.conditions, conditions)
}

/** Whether its cancellation was asked for: that stands in the execution itself, as in Google's. */
export function isCancelled({ conditions }: Execution): boolean {
  const reasons: readonly Condition_ExecutionReason[] = [Condition_ExecutionReason.CANCELLED, Condition_ExecutionReason.CANCELLING]
  return conditions.some((told) => told.reasons.case === 'executionReason' && reasons.includes(told.reasons.value))
}

export function setCancelling(execution: Execution, nowMs: number): void {
  const told = condition('Completed', CONDITION_RECONCILING, 'The execution is being cancelled.', new Date(nowMs))
  told.reasons = { case: 'executionReason', value: Condition_ExecutionReason.CANCELLING }
  execution.conditions = [told, ...execution.conditions.filter(({ type }) => type !== 'Completed')]
}

export function isOver({ completionTime }: Execution): boolean {
  return completionTime !== undefined
}

function completed(execution: Execution, tasks: readonly TaskRow[], finish: ExecutionPlan['finish'], nowMs: number): Condition {
  const at = new Date(nowMs)
  if (finish === undefined) {
    const told = condition('Completed', CONDITION_RECONCILING, 'Waiting for execution to complete.', at)
    if (!isCancelled(execution)) return told
    told.message = 'The execution is being cancelled.'
    told.reasons = { case: 'executionReason', value: Condition_ExecutionReason.CANCELLING }
    return told
  }
  const took = seconds(nowMs - toMs(execution.createTime))
  if (finish === 'succeeded') return condition('Completed', CONDITION_SUCCEEDED, `Execution completed successfully in ${took}.`, at)
  const told = condition('Completed', CONDITION_FAILED, 'The execution was cancelled.', at)
  told.reasons = { case: 'executionReason', value: Condition_ExecutionReason.CANCELLED }
  if (finish === 'cancelled') return told
  const failed = tasks.find(({ state }) => state === 'failed')
  const { exitCode = 0, signal = 0, message = '' } = failed?.last ?? {}
  const id = taskId(lastPart(execution.name), failed?.index ?? 0)
  const hasCode = exitCode !== 0 && signal === 0
  told.message = hasCode
    ? `Task ${id} failed with exit code: ${exitCode} and message: ${message}`
    : `Task ${id} failed with message: ${message}`
  told.reasons = hasCode
    ? { case: 'executionReason', value: Condition_ExecutionReason.NON_ZERO_EXIT_CODE }
    : { case: 'reason', value: Condition_CommonReason.UNKNOWN }
  return told
}

function preparation({ createTime, startTime }: Execution, nowMs: number): Condition[] {
  const at = startTime === undefined ? new Date(nowMs) : timestampDate(startTime)
  if (startTime === undefined)
    return ['ResourcesAvailable', 'Started', 'ContainerReady'].map((type) => condition(type, CONDITION_RECONCILING, '', at))
  const took = seconds(toMs(startTime) - toMs(createTime))
  return [
    condition('ResourcesAvailable', CONDITION_SUCCEEDED, 'Provisioned imported containers.', at),
    condition('Started', CONDITION_SUCCEEDED, `Started deployed execution in ${took}.`, at),
    condition('ContainerReady', CONDITION_SUCCEEDED, 'Imported container image.', at),
  ]
}

function retry(attempt: number, nowMs: number): Condition {
  const told = condition(
    'Retry',
    CONDITION_SUCCEEDED,
    `System will retry after 0:00:00 from lastTransitionTime for attempt ${attempt}.`,
    new Date(nowMs),
  )
  told.severity = Condition_Severity.INFO
  told.reasons = { case: 'reason', value: Condition_CommonReason.IMMEDIATE_RETRY }
  return told
}

/** A condition whose state did not change keeps its time of transition. */
function keepTimes(before: readonly Condition[], now: readonly Condition[]): Condition[] {
  return now.map((told) => {
    const same = before.find(({ type, state, message }) => type === told.type && state === told.state && message === told.message)
    return same?.lastTransitionTime === undefined ? told : { ...told, lastTransitionTime: same.lastTransitionTime }
  })
}

export function toMs(at: Timestamp | undefined): number {
  return at === undefined ? 0 : timestampMs(at)
}

function seconds(ms: number): string {
  return `${(Math.max(0, ms) / 1000).toFixed(2)}s`
}
