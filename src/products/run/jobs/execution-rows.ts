import { readMessage, writeMessage } from '../../../api/message-row.ts'
import { ExecutionSchema, type Execution } from '../../../api/gen/google/cloud/run/v2/execution_pb.ts'
import { openCollection, projectsIn } from '../../../state/collection.ts'
import type { State } from '../../../state/state.ts'
import { isOver } from './execution-status.ts'

/** The executions that exist, as rows. What runs for them is `controller.ts`. */
export interface ExecutionRows {
  get(name: string): Execution | undefined
  /** Those whose names begin with `prefix`, in no order. */
  list(prefix: string): readonly Execution[]
  /** Of all projects, those that are not over. */
  unfinished(): readonly Execution[]
  /** Durable when resolved. */
  put(execution: Execution): Promise<void>
  delete(name: string): Promise<void>
  /** Deletes all under `prefix`; none is read. */
  deleteAll(prefix: string): Promise<void>
  /** Ids of the projects that have some. */
  projects(): readonly string[]
}

export function openExecutionRows(state: State): ExecutionRows {
  const rows = openCollection(state, 'run.execution')
  const read = (value: string) => readMessage(ExecutionSchema, value)
  const list = (prefix: string) => rows.list(prefix).map(({ value }) => read(value))
  return {
    get(name) {
      const value = rows.get(name)
      return value === undefined ? undefined : read(value)
    },
    list,
    unfinished: () => list('').filter((execution) => !isOver(execution)),
    put: (execution) => rows.put(execution.name, writeMessage(ExecutionSchema, execution)),
    delete: async (name) => void (await rows.delete(name)),
    deleteAll: (prefix) => rows.deleteAll(prefix),
    projects: () => projectsIn(rows),
  }
}
