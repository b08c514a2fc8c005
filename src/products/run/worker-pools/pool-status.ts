import { Condition_State } from '../../../api/gen/google/cloud/run/v2/condition_pb.ts'
import type { WorkerPool } from '../../../api/gen/google/cloud/run/v2/worker_pool_pb.ts'
import { messageOf } from '../../../base/cloud-error.ts'
import { lastPart } from '../../../base/last-part.ts'
import { condition, markReady, markReconciling } from '../conditions.ts'
import { resolveSplits } from './splits.ts'

const { CONDITION_FAILED, CONDITION_RECONCILING } = Condition_State

/** While a revision is rolled out. */
export function markRolling(pool: WorkerPool, at: Date): void {
  markReconciling(pool, 'Deploying Revision.', at)
  pool.conditions = [condition('ConfigurationsReady', CONDITION_RECONCILING, '', at)]
}

export function markRolledOut(pool: WorkerPool, at: Date): void {
  markReady(pool, ['ConfigurationsReady'], at)
  pool.latestReadyRevision = pool.latestCreatedRevision
  pool.instanceSplitStatuses = resolveSplits(pool.instanceSplits, lastPart(pool.latestReadyRevision))
}

/** What ran before goes on. */
export function markFailed(pool: WorkerPool, failure: unknown, at: Date): void {
  const message = `Revision '${lastPart(pool.latestCreatedRevision)}' is not ready. ${messageOf(failure)}`
  pool.reconciling = false
  pool.observedGeneration = pool.generation
  pool.terminalCondition = condition('Ready', CONDITION_FAILED, message, at)
  pool.conditions = [condition('ConfigurationsReady', CONDITION_FAILED, message, at)]
}
