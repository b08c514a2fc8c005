import { create } from '@bufbuild/protobuf'
import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import {
  ConditionSchema,
  Condition_CommonReason,
  Condition_RevisionReason,
  Condition_Severity,
  Condition_State,
  type Condition,
} from '../../api/gen/google/cloud/run/v2/condition_pb.ts'
import type { Revision } from '../../api/gen/google/cloud/run/v2/revision_pb.ts'
import type { Service } from '../../api/gen/google/cloud/run/v2/service_pb.ts'
import { CloudError, messageOf } from '../../base/cloud-error.ts'
import { lastPart } from '../../base/last-part.ts'

type Reasons = Condition['reasons']

/** A condition as Cloud Run writes it: without reason when it holds. */
export function condition(type: string, state: Condition_State, message: string, at: Date, reasons?: Reasons): Condition {
  return create(ConditionSchema, {
    type,
    state,
    message,
    lastTransitionTime: timestampFromDate(at),
    ...(reasons !== undefined && { reasons }),
  })
}

/** What services, jobs and worker pools tell of the state that they are in. */
export type Settling = Pick<Service, 'reconciling' | 'generation' | 'observedGeneration' | 'terminalCondition' | 'conditions'>

/** Sets what clients poll while a change is under way: nothing of an older generation looks done (run trap 33). */
export function markReconciling(resource: Settling, message: string, at: Date): void {
  resource.reconciling = true
  resource.terminalCondition = condition('Ready', Condition_State.CONDITION_RECONCILING, message, at)
}

/** @param types of the conditions that hold beside `Ready` */
export function markReady(resource: Settling, types: readonly string[], at: Date): void {
  resource.reconciling = false
  resource.observedGeneration = resource.generation
  resource.terminalCondition = condition('Ready', Condition_State.CONDITION_SUCCEEDED, '', at)
  resource.conditions = types.map((type) => condition(type, Condition_State.CONDITION_SUCCEEDED, '', at))
}

/** The last serving state stays where `failure` is told: traffic, observed generation and latest ready revision (run trap 32). */
export function markFailed(service: Service, failure: unknown, at: Date): void {
  const revision = lastPart(service.latestCreatedRevision)
  const message = `Revision '${revision}' is not ready and cannot serve traffic. ${wordsOf(failure)}`
  const failed = (type: string) => condition(type, Condition_State.CONDITION_FAILED, message, at, reasonOf(failure))
  const isServing = service.trafficStatuses.length > 0
  service.reconciling = false
  service.terminalCondition = failed('Ready')
  service.conditions = [
    isServing ? condition('RoutesReady', Condition_State.CONDITION_SUCCEEDED, '', at) : failed('RoutesReady'),
    failed('ConfigurationsReady'),
  ]
}

/** The conditions of a revision that passed its health check, or `skipped` it. */
export function readyConditions(at: Date, isSkipped: boolean): Condition[] {
  const skipped: Reasons = { case: 'revisionReason', value: Condition_RevisionReason.HEALTH_CHECK_SKIPPED }
  return [
    condition('Ready', Condition_State.CONDITION_SUCCEEDED, '', at),
    condition('ContainerHealthy', Condition_State.CONDITION_SUCCEEDED, '', at, isSkipped ? skipped : undefined),
    condition('ResourcesAvailable', Condition_State.CONDITION_SUCCEEDED, '', at),
    activeCondition(true, at),
  ]
}

/** The conditions of a revision that never became ready. */
export function failedConditions(failure: unknown, at: Date): Condition[] {
  const message = wordsOf(failure)
  return ['Ready', 'ContainerHealthy'].map((type) => condition(type, Condition_State.CONDITION_FAILED, message, at, reasonOf(failure)))
}

/** Whether a revision may take requests: those without traffic and tag are retired, which is no fault of theirs. */
export function activeCondition(isActive: boolean, at: Date): Condition {
  if (isActive) return condition('Active', Condition_State.CONDITION_SUCCEEDED, '', at)
  const reasons: Reasons = { case: 'revisionReason', value: Condition_RevisionReason.RETIRED }
  const retired = condition('Active', Condition_State.CONDITION_FAILED, 'Revision retired.', at, reasons)
  retired.severity = Condition_Severity.INFO
  return retired
}

export const isReady = (revision: Revision) => has(revision, 'Ready', Condition_State.CONDITION_SUCCEEDED)
export const isFailed = (revision: Revision) => has(revision, 'Ready', Condition_State.CONDITION_FAILED)
export const isActive = (revision: Revision) => has(revision, 'Active', Condition_State.CONDITION_SUCCEEDED)

function has({ conditions }: Revision, type: string, state: Condition_State): boolean {
  return conditions.some((found) => found.type === type && found.state === state)
}

/** The fault, with the last that the container wrote: Cloud Run names a page of logs here, which a terminal cannot open. */
function wordsOf(failure: unknown): string {
  const evidence = failure instanceof CloudError ? failure.evidence.slice(-5) : []
  return evidence.length === 0 ? messageOf(failure) : `${messageOf(failure)} The last of its logs:\n${evidence.join('\n')}`
}

/** Cloud Run's word for a fault. Source: condition.proto, CommonReason and RevisionReason. */
function reasonOf(failure: unknown): Reasons {
  const fault = failure instanceof CloudError ? failure.fault : undefined
  if (fault === 'SECRET_UNREADABLE') return { case: 'reason', value: Condition_CommonReason.SECRETS_ACCESS_CHECK_FAILED }
  if (fault === 'IMAGE_UNKNOWN') return { case: 'reason', value: Condition_CommonReason.CONTAINER_MISSING }
  return { case: 'revisionReason', value: Condition_RevisionReason.HEALTH_CHECK_CONTAINER_ERROR }
}
