import { setTimeout as sleep } from 'node:timers/promises'
import type { Execution } from '../../../api/gen/google/cloud/run/v2/execution_pb.ts'
import { messageOf } from '../../../base/cloud-error.ts'
import type { Container, ContainerStatus } from '../../../engine/engine.ts'
import type { InstanceSpec } from '../instances/instance-spec.ts'
import type { RunNeeds } from '../needs.ts'
import { startInstance, toInstance, type Instance } from '../instances/start-instance.ts'
import type { StopReason } from './decide.ts'
import { readExecutionName } from './names.ts'
import type { TaskRow } from './task-rows.ts'

/** SIGTERM, then this long, then SIGKILL (trap 6). */
const graceMs = 10_000
/** How often an attempt whose output is over is asked whether it has ended. */
const lookMs = 100

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

/** Variables and labels of a task's container. It has no port, so no PORT, and no K_* (trap 3). */
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
    labels: { job, execution: id, executionName: execution.name, task: String(task.index), attempt: String(task.attempt) },
  }
}

function followAttempt(needs: RunNeeds, execution: Execution, task: TaskRow, instance: Instance, signal: AbortSignal): Attempt {
  const [container, ...sidecars] = instance.containers
  let reason: StopReason | undefined
  const endSidecar = async (sidecar: Container) => {
    await sidecar.stop(graceMs, AbortSignal.timeout(60_000))
    await ended(sidecar, signal)
  }
  const outcome = (async () => {
    const sidecarLines = sidecars.map((sidecar) => keepLines(needs, execution, task, sidecar, signal))
    const allLines = Promise.all(sidecarLines)
    allLines.catch(() => {}) // awaited below
    await keepLines(needs, execution, task, container, signal)
    const status = await ended(container, signal)
    await Promise.all(sidecars.map(endSidecar))
    await allLines
    await needs.containerLog.flush()
    return toOutcome(status, reason, execution)
  })()
  outcome.catch(() => {}) // awaited by the caller
  return {
    outcome,
    stop(why) {
      if (reason !== undefined) return
      reason = why
      // Not instance.stop(), which also removes it: its last lines are still to be read.
      const stops = instance.containers.map((one) => one.stop(graceMs, AbortSignal.timeout(60_000)))
      for (const stop of stops) stop.catch((error: unknown) => needs.log.warn({ err: error, container: container.name }, 'stop failed'))
    },
    remove: () => instance.stop(),
  }
}

async function keepLines(needs: RunNeeds, execution: Execution, task: TaskRow, container: Container, signal: AbortSignal): Promise<void> {
  const line = lineOf(execution, task)
  try {
    for await (const { timeMs, stream, text } of container.logs({ follow: true }, signal)) {
      needs.containerLog.add({ ...line, timeMs, stream, text })
    }
  } catch (error) {
    signal.throwIfAborted()
    needs.log.warn({ err: error, container: container.name }, 'its log cannot be read')
  }
  signal.throwIfAborted()
}

function lineOf(execution: Execution, task: TaskRow) {
  const { project, job, execution: id } = readExecutionName(execution.name)
  return { project, resource: 'cloud_run_job', owner: job, run: id, instance: `${task.index}/${task.attempt}` } as const
}

/** What is seen of it when it has ended. An engine that does not answer is asked again. */
async function ended(container: Container, signal: AbortSignal): Promise<ContainerStatus> {
  for (;;) {
    const status = await container.inspect(signal).catch(() => undefined)
    signal.throwIfAborted()
    if (status?.state === 'exited') return status
    await sleep(lookMs, undefined, { signal }).catch(() => signal.throwIfAborted())
  }
}

/** `code` is a google.rpc.Code's number. */
function toOutcome({ exitCode = 137, oomKilled }: ContainerStatus, reason: StopReason | undefined, execution: Execution): Outcome {
  const signal = exitCode > 128 && exitCode < 160 ? exitCode - 128 : 0
  if (reason === 'timeout') {
    const limit = execution.template?.timeout?.seconds ?? 600n
    const message = `The configured timeout was reached: the task was ended after ${limit} seconds.`
    return { succeeded: false, exitCode, signal, message, code: 4 }
  }
  if (reason === 'cancel') return { succeeded: false, exitCode, signal, message: 'The task was cancelled.', code: 1 }
  if (exitCode === 0) return { succeeded: true, exitCode, signal: 0, message: '', code: 0 }
  const memory = execution.template?.containers[0]?.resources?.limits['memory'] ?? '512Mi'
  const message = oomKilled ? `Memory limit of ${memory} exceeded.` : 'The container exited with an error.'
  return { succeeded: false, exitCode, signal: oomKilled ? 9 : 0, message, code: oomKilled ? 8 : 2 }
}

/** The outcome of an attempt whose container did not come up, or is gone. */
export function lostOutcome(error: unknown): Outcome {
  return { succeeded: false, exitCode: 0, signal: 0, message: messageOf(error), code: 13 }
}
