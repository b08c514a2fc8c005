import type { Execution } from '../../../api/gen/google/cloud/run/v2/execution_pb.ts'
import type { Container } from '../../../engine/engine.ts'
import type { Resources } from '../../../state/resources.ts'
import { ownerOf } from '../instances/container-labels.ts'
import type { InstanceContainers } from '../instances/instance.ts'
import { takeLeft, type LeftInstance } from '../instances/take-left.ts'
import { projectOf } from '../names.ts'
import type { RunNeeds } from '../needs.ts'
import { runExecution, type ExecutionRun } from './execution-run.ts'
import { isOver, setCancelling } from './execution-status.ts'
import { machineSlots, openSlots } from './slots.ts'
import type { TaskRows } from './task-rows.ts'

type LeftAttempt = LeftInstance<'task'>

/** The executions under way. Disposed, it leaves their containers to a later daemon. */
export interface Controller extends AsyncDisposable {
  /** Stores an execution that has not begun, and begins it. */
  begin(execution: Execution): Promise<void>
  /** Resolves with it when it is over: at once when it is, and after `resume` when an earlier daemon began it. */
  over(name: string): Promise<Execution>
  /** Tells of each change until the answer is called. */
  watch(name: string, onChange: (execution: Execution) => void): () => void
  /** Asks for its end, and resolves when it is over. Nothing to do when it is. */
  cancel(name: string): Promise<Execution>
  /** Ends all under way whose names begin with `prefix`. */
  cancelAll(prefix: string): Promise<void>
  /** Whether `container` is of an attempt that is not over: a new daemon keeps it. */
  wants(container: Container): boolean
  /** Goes on with what an earlier daemon began, with the containers it left. Engines that do not answer are asked at the next call. */
  resume(isResumed: (project: string) => boolean): Promise<void>
}

export function openController(needs: RunNeeds, executions: Resources<Execution>, tasks: TaskRows): Controller {
  const closing = new AbortController()
  const slots = openSlots(machineSlots)
  const runs = new Map<string, ExecutionRun>()
  const waiting = new Map<string, PromiseWithResolvers<Execution>>()
  const watchers = new Map<string, Set<(execution: Execution) => void>>()

  const onChange = (execution: Execution) => {
    for (const tell of watchers.get(execution.name) ?? []) tell(execution)
  }
  const start = (name: string, left: readonly LeftAttempt[]) => {
    if (runs.has(name)) return
    const run = runExecution({ needs, executions, tasks, slots, closing: closing.signal, onChange }, name, left)
    runs.set(name, run)
    const { promise, resolve, reject } = waiting.get(name) ?? Promise.withResolvers<Execution>()
    promise.catch(() => {})
    waiting.delete(name)
    void run.over.then(resolve, reject).finally(() => runs.delete(name))
  }
  const isWanted = ({ name, task: index, attempt }: LeftAttempt['owner']): boolean => {
    const execution = executions.find(name)
    if (execution === undefined || isOver(execution)) return false
    const task = tasks.get(execution.name, index)
    return (task?.state === 'starting' || task?.state === 'running') && task.attempt === attempt
  }
  /** With the containers that an earlier daemon left. */
  const startLeft = async (project: string, names: readonly string[]) => {
    const isWhole = (owner: LeftAttempt['owner'], group: InstanceContainers) =>
      isWanted(owner) && group.length === executions.find(owner.name)?.template?.containers.length
    const left = await takeLeft(needs, project, 'task', isWhole, closing.signal)
    for (const name of names) start(name, left.filter(({ owner }) => owner.name === name)) // prettier-ignore
  }
  const over = (name: string): Promise<Execution> => {
    const run = runs.get(name)
    if (run !== undefined) return run.over
    const known = executions.find(name)
    if (known === undefined) return Promise.reject(new Error(`${name} is gone.`))
    if (isOver(known)) return Promise.resolve(known)
    const entry = waiting.get(name) ?? Promise.withResolvers<Execution>()
    waiting.set(name, entry)
    return entry.promise
  }
  const cancel = async (name: string): Promise<Execution> => {
    const execution = executions.find(name)
    if (execution === undefined) throw new Error(`${name} is gone.`)
    if (isOver(execution)) return execution
    setCancelling(execution, needs.clock.nowMs())
    await executions.put(execution)
    if (!runs.has(name)) await startLeft(projectOf(name), [name])
    runs.get(name)?.look()
    return over(name)
  }
  return {
    async begin(execution) {
      await Promise.all([executions.put(execution), tasks.create(execution.name, execution.taskCount)])
      start(execution.name, [])
    },
    over,
    watch(name, tell) {
      const known = watchers.get(name) ?? new Set()
      watchers.set(name, known.add(tell))
      return () => {
        known.delete(tell)
        if (known.size === 0 && watchers.get(name) === known) watchers.delete(name)
      }
    },
    cancel,
    async cancelAll(prefix) {
      const ended = await Promise.allSettled([...runs.keys()].filter((name) => name.startsWith(prefix)).map(cancel))
      for (const one of ended) if (one.status === 'rejected') needs.log.warn({ err: one.reason }, 'an execution was not cancelled')
    },
    wants(container) {
      const owner = ownerOf(container, 'task')
      return owner !== undefined && isWanted(owner)
    },
    async resume(isResumed) {
      const left = executions.list('').filter((one) => !isOver(one) && !runs.has(one.name) && isResumed(projectOf(one.name)))
      const byProject = Map.groupBy(left, ({ name }) => projectOf(name))
      for (const [project, unfinished] of byProject) {
        try {
          await startLeft(
            project,
            unfinished.map(({ name }) => name),
          )
        } catch (error) {
          needs.log.warn({ err: error, project }, 'executions of this project wait for its engine')
        }
      }
    },
    async [Symbol.asyncDispose]() {
      closing.abort(new Error('The daemon ends.'))
      await needs.containerLog.flush().catch(() => {})
    },
  }
}
