import type { Execution } from '../../../api/gen/google/cloud/run/v2/execution_pb.ts'
import { messageOf } from '../../../base/cloud-error.ts'
import type { Container, ContainerStatus } from '../../../engine/engine.ts'
import { defaultLimits, defaultTaskSeconds } from '../defaults.ts'
import { followToEnd, keepIn } from '../instances/follow-to-end.ts'
import type { InstanceSpec } from '../instances/instance-spec.ts'
import type { RunNeeds } from '../needs.ts'
import { startInstance, toInstance, type Instance } from '../instances/start-instance.ts'
import type { StopReason } from './decide.ts'
import { readExecutionName } from './names.ts'
import type { TaskRow } from './task-rows.ts'

/** How an attempt ended, as a task keeps it. */
export type Outcome = NonNullable<TaskRow['last']> & { readonly succeeded: boolean }

/** One attempt of a task under way: its containers, and their lines on their way to the log. */
export interface Attempt {
  /** Resolves when the main container has ended, its sidecars were stopped, and their lines are on disk; rejects when `signal` ended first, and the container goes on. */
  readonly outcome: Promise<Outcome>
  /** Ends it. The first reason counts. */
  stop(reason: StopReason): void
  /** Removes the containers. */
  remove(): Promise<void>
}

/** Starts the container of `task`'s attempt. @throws CloudError when it does not come up; then nothing is left of it */
export async function startAttempt(needs: RunNeeds, execution: Execution, task: TaskRow, signal: AbortSignal): Promise<Attempt> {
  const instance = await startInstance(needs, attemptSpec(needs, execution, task), signal)
  return followAttempt(needs, execution, task, instance, signal)
}

/** Goes on with an attempt that an earlier daemon started, running or ended. Its lines are read from the first again. @param containers the main one first */
export async function adoptAttempt(
  needs: RunNeeds,
  execution: Execution,
  task: TaskRow,
  containers: readonly [Container, ...Container[]],
  signal: AbortSignal,
): Promise<Attempt> {
  await needs.containerLog.forget(lineOf(execution, task))
  return followAttempt(needs, execution, task, toInstance(containers), signal)
}

/** Variables and labels of a task's container. It has no port, so no PORT, and no K_* (run trap 3). */
export function attemptSpec(needs: Pick<RunNeeds, 'project'>, execution: Execution, task: TaskRow): InstanceSpec {
  const { project, job, execution: id } = readExecutionName(execution.name)
  const { containers = [], volumes = [], serviceAccount = '' } = execution.template ?? {}
  return {
    name: task.container,
    project: needs.project(project),
    template: { containers, volumes, serviceAccount },
    env: {
      CLOUD_RUN_JOB: job,
      CLOUD_RUN_EXECUTION: id,
      CLOUD_RUN_TASK_INDEX: String(task.index),
      CLOUD_RUN_TASK_ATTEMPT: String(task.attempt),
      CLOUD_RUN_TASK_COUNT: String(execution.taskCount),
    },
    owner: { kind: 'task', job, execution: id, name: execution.name, task: task.index, attempt: task.attempt },
  }
}

function followAttempt(needs: RunNeeds, execution: Execution, task: TaskRow, instance: Instance, signal: AbortSignal): Attempt {
  let reason: StopReason | undefined
  const lines = keepIn(needs.containerLog, lineOf(execution, task), () => needs.clock.nowMs())
  const following = followToEnd(needs.log, instance, { until: 'main', ...lines }, signal)
  const outcome = following.ended.then(async (status) => {
    await needs.containerLog.flush()
    return toOutcome(status, reason, execution)
  })
  outcome.catch(() => {}) // awaited by the caller
  return {
    outcome,
    stop(why) {
      if (reason !== undefined) return
      reason = why
      following.stop()
    },
    remove: () => instance.stop(),
  }
}

function lineOf(execution: Execution, task: TaskRow) {
  const { project, job, execution: id } = readExecutionName(execution.name)
  return { project, resource: 'cloud_run_job', owner: job, run: id, instance: `${task.index}/${task.attempt}` } as const
}

/** `code` is a google.rpc.Code's number. */
function toOutcome({ exitCode = 137, oomKilled, isGone }: ContainerStatus, reason: StopReason | undefined, execution: Execution): Outcome {
  const signal = exitCode > 128 && exitCode < 160 ? exitCode - 128 : 0
  if (reason === 'timeout') {
    const limit = execution.template?.timeout?.seconds ?? defaultTaskSeconds
    const message = `The configured timeout was reached: the task was ended after ${limit} seconds.`
    return { succeeded: false, exitCode, signal, message, code: 4 }
  }
  if (reason === 'cancel') return { succeeded: false, exitCode, signal, message: 'The task was cancelled.', code: 1 }
  if (exitCode === 0) return { succeeded: true, exitCode, signal: 0, message: '', code: 0 }
  const memory = execution.template?.containers[0]?.resources?.limits['memory'] ?? defaultLimits.memory
  if (isGone === true) return { succeeded: false, exitCode, signal: 9, message: 'The container was removed while it ran.', code: 10 }
  const message = oomKilled ? `Memory limit of ${memory} exceeded.` : 'The container exited with an error.'
  return { succeeded: false, exitCode, signal: oomKilled ? 9 : 0, message, code: oomKilled ? 8 : 2 }
}

/** The outcome of an attempt whose container did not come up, or is gone. */
export function lostOutcome(error: unknown): Outcome {
  return { succeeded: false, exitCode: 0, signal: 0, message: messageOf(error), code: 13 }
}
