import { Condition_State } from '../../../api/gen/google/cloud/run/v2/condition_pb.ts'
import type { WorkerPool } from '../../../api/gen/google/cloud/run/v2/worker_pool_pb.ts'
import { messageOf } from '../../../base/cloud-error.ts'
import { condition } from '../conditions.ts'
import { resolveSplits } from './splits.ts'

const { CONDITION_FAILED, CONDITION_RECONCILING, CONDITION_SUCCEEDED } = Condition_State

/** While a revision is rolled out. */
export function markRolling(pool: WorkerPool, at: Date): void {
  pool.reconciling = true
  pool.terminalCondition = condition('Ready', CONDITION_RECONCILING, 'Deploying Revision.', at)
  pool.conditions = [condition('ConfigurationsReady', CONDITION_RECONCILING, '', at)]
}

export function markReady(pool: WorkerPool, at: Date): void {
  pool.reconciling = false
  pool.observedGeneration = pool.generation
  pool.latestReadyRevision = pool.latestCreatedRevision
  pool.instanceSplitStatuses = resolveSplits(pool.instanceSplits, idOf(pool.latestReadyRevision))
  pool.terminalCondition = condition('Ready', CONDITION_SUCCEEDED, '', at)
  pool.conditions = [condition('ConfigurationsReady', CONDITION_SUCCEEDED, '', at)]
}

/** What ran before goes on. */
export function markFailed(pool: WorkerPool, failure: unknown, at: Date): void {
  const message = `Revision '${idOf(pool.latestCreatedRevision)}' is not ready. ${messageOf(failure)}`
  pool.reconciling = false
  pool.observedGeneration = pool.generation
  pool.terminalCondition = condition('Ready', CONDITION_FAILED, message, at)
  pool.conditions = [condition('ConfigurationsReady', CONDITION_FAILED, message, at)]
}

/** The last part of a revision's name. */
export function idOf(revision: string): string {
  return revision.split('/').at(-1) ?? ''
}
