import type { ObservedTask, TaskState, WantedExecution } from './decide.ts'

/** How an attempt ended. Pure: what the task is then, and which attempt it will be. */
export function afterAttempt(
  wanted: Pick<WantedExecution, 'maxRetries' | 'isCancelled'>,
  task: Pick<ObservedTask, 'attempt'>,
  outcome: { readonly succeeded: boolean },
): { readonly state: TaskState; readonly attempt: number } {
  const { attempt } = task
  if (outcome.succeeded) return { state: 'succeeded', attempt }
  if (wanted.isCancelled) return { state: 'cancelled', attempt }
  return attempt < wanted.maxRetries ? { state: 'waiting', attempt: attempt + 1 } : { state: 'failed', attempt }
}
