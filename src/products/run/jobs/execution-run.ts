import type { Execution } from '../../../api/gen/google/cloud/run/v2/execution_pb.ts'
import { lastPart } from '../../../base/last-part.ts'
import type { Resources } from '../../../state/resources.ts'
import { defaultRetries, defaultTaskSeconds } from '../defaults.ts'
import type { InstanceContainers } from '../instances/instance.ts'
import type { LeftInstance } from '../instances/take-left.ts'
import type { RunNeeds } from '../needs.ts'
import { adoptAttempt, lostOutcome, startAttempt, type Attempt, type Outcome } from './attempt.ts'
import { decideExecution, type StopReason, type WantedExecution } from './decide.ts'
import { isCancelled, setStatus } from './execution-status.ts'
import { afterAttempt } from './retry-task.ts'
import type { Slots } from './slots.ts'
import type { TaskRow, TaskRows } from './task-rows.ts'

/** What one execution's work stands on. */
export interface ExecutionWork {
  readonly needs: RunNeeds
  readonly executions: Resources<Execution>
  readonly tasks: TaskRows
  readonly slots: Slots
  /** Ends when the daemon does: then nothing is decided or written any more, and containers go on. */
  readonly closing: AbortSignal
  /** Told after each change. */
  readonly onChange: (execution: Execution) => void
}

/** One execution under way. */
export interface ExecutionRun {
  /** Decides again: what was asked of it may have changed. */
  look(): void
  /** Resolves when it is over, with what it is then. */
  readonly over: Promise<Execution>
}

/**
 * Carries an execution out: looks at its tasks, has `decideExecution` say what to do, and does that; each end of an attempt makes it look again.
 * @param left containers of its attempts that an earlier daemon started, the main one of each first
 */
export function runExecution(work: ExecutionWork, name: string, left: readonly LeftInstance<'task'>[]): ExecutionRun {
  const { needs, executions, tasks: rows, slots, closing } = work
  const tasks = new Map(rows.list(name).map((task) => [task.index, task]))
  /** `sinceTicks`: when the attempt began to run. Timeouts are counted in ticks, so that no step of the wall's clock ends a task or lets it run on. */
  const active = new Map<number, { attempt?: Attempt; stopping?: StopReason; sinceTicks?: number }>()
  const over = Promise.withResolvers<Execution>()
  let timer: NodeJS.Timeout | undefined
  let isOver = false

  const put = async (task: TaskRow) => {
    tasks.set(task.index, task)
    await rows.put(name, task)
  }
  const get = (index: number): TaskRow => {
    const task = tasks.get(index)
    if (task === undefined) throw new Error(`Task ${index} of ${name} is unknown.`)
    return task
  }

  const look = () => {
    const execution = isOver || closing.aborted ? undefined : executions.find(name)
    if (execution === undefined) return
    clearTimeout(timer)
    const nowMs = needs.clock.nowMs()
    const ticksMs = needs.clock.ticksMs()
    const observed = [...tasks.values()].map((task) => {
      const { stopping, sinceTicks = ticksMs } = active.get(task.index) ?? {}
      return { ...task, startedMs: sinceTicks, isStopping: stopping !== undefined }
    })
    const plan = decideExecution(toWanted(execution), observed, ticksMs)
    for (const { index, reason } of plan.stop) stop(index, reason)
    for (const index of plan.cancel) put({ ...get(index), state: 'cancelled', completedMs: nowMs }).catch(unwritten)
    for (const { index } of plan.start) {
      if (!slots.tryTake()) {
        slots.whenFree(look)
        break
      }
      begin(execution, index, nowMs).catch(unwritten)
    }
    setStatus(execution, [...tasks.values()], plan.finish, nowMs)
    const saved = executions.put(execution)
    work.onChange(execution)
    if (plan.wakeMs !== undefined) timer = setTimeout(look, Math.min(plan.wakeMs - ticksMs + 1, 2 ** 31 - 1)).unref()
    saved.catch(unwritten)
    if (plan.finish === undefined) return
    isOver = true
    void saved.then(() => over.resolve(execution), over.reject)
  }
  const unwritten = (error: unknown) => needs.log.error({ err: error, execution: name }, 'an execution could not be written')

  const stop = (index: number, reason: StopReason) => {
    const entry = active.get(index)
    if (entry === undefined) return
    entry.stopping = reason
    entry.attempt?.stop(reason)
  }

  const begin = async (execution: Execution, index: number, nowMs: number) => {
    active.set(index, {})
    const container = `${lastPart(name).slice(0, 36)}-${crypto.randomUUID().slice(0, 8)}`
    const task: TaskRow = { ...get(index), state: 'starting', container, startedMs: nowMs }
    await put(task) // before the container is, so that a later daemon knows whose it is
    await follow(execution, task, () => startAttempt(needs, execution, task, closing))
  }

  const adopt = async (execution: Execution, task: TaskRow, containers: InstanceContainers | undefined) => {
    // What it ran before, only the wall's clock can tell: at worst a step while no daemon ran counts, and never below zero.
    const ranMs = task.state === 'running' ? Math.max(0, needs.clock.nowMs() - task.startedMs) : 0
    active.set(task.index, { sinceTicks: needs.clock.ticksMs() - ranMs })
    await follow(execution, task, () => {
      if (containers !== undefined) return adoptAttempt(needs, execution, task, containers, closing)
      throw new Error('The container was removed while no daemon ran.')
    })
  }

  const follow = async (execution: Execution, task: TaskRow, start: () => Promise<Attempt>) => {
    let attempt: Attempt | undefined
    let outcome: Outcome
    try {
      attempt = await start()
      const startedMs = task.state === 'running' ? task.startedMs : needs.clock.nowMs()
      await put({ ...task, state: 'running', startedMs, firstStartedMs: task.firstStartedMs || startedMs })
      const entry = active.get(task.index)
      if (entry !== undefined) {
        entry.attempt = attempt
        entry.sinceTicks ??= needs.clock.ticksMs()
      }
      if (entry?.stopping !== undefined) attempt.stop(entry.stopping)
      look()
      outcome = await attempt.outcome
    } catch (error) {
      if (closing.aborted) return
      needs.log.warn({ err: error, container: task.container }, 'a task could not be run')
      outcome = lostOutcome(error)
    }
    await settle(execution, get(task.index), outcome)
    slots.release()
    look()
    await attempt?.remove().catch((error: unknown) => needs.log.warn({ err: error, container: task.container }, 'remove failed'))
  }

  /** Durable before the container goes: what succeeded never runs again. */
  const settle = async (execution: Execution, task: TaskRow, { succeeded, ...last }: Outcome) => {
    const wanted = toWanted(executions.find(name) ?? execution)
    const next = afterAttempt(wanted, task, { succeeded })
    const isWaiting = next.state === 'waiting'
    active.delete(task.index)
    await put({ ...task, ...next, container: '', last, completedMs: isWaiting ? 0 : needs.clock.nowMs() })
  }

  const resume = () => {
    const execution = executions.find(name)
    if (execution === undefined) return over.reject(new Error(`${name} is gone.`))
    for (const task of tasks.values()) {
      if (task.state !== 'starting' && task.state !== 'running') continue
      const found = left.find(({ owner }) => owner.task === task.index && owner.attempt === task.attempt)?.containers
      if (found === undefined && task.state === 'starting') tasks.set(task.index, { ...task, state: 'waiting' }) // it never ran
      else {
        slots.take()
        adopt(execution, task, found).catch(unwritten)
      }
    }
    look()
  }
  over.promise.catch(() => {})
  resume()
  return { look, over: over.promise }
}

function toWanted(execution: Execution): WantedExecution {
  return {
    parallelism: execution.parallelism,
    maxRetries: execution.template?.retries.value ?? defaultRetries,
    timeoutMs: Number(execution.template?.timeout?.seconds ?? defaultTaskSeconds) * 1000,
    isCancelled: isCancelled(execution),
  }
}
