import type { Migration } from '../../../state/migrations.ts'
import type { State } from '../../../state/state.ts'
import type { TaskState } from './decide.ts'

/** A task as it is kept: the attempt of now, and how the last one ended. Times are wall time in ms, 0 for not yet. */
export interface TaskRow {
  readonly index: number
  readonly attempt: number
  readonly state: TaskState
  /** The name of the attempt's container; empty before there is one. */
  readonly container: string
  /** When the attempt of now began. */
  readonly startedMs: number
  readonly firstStartedMs: number
  readonly completedMs: number
  /** Of the last attempt that ended: its exit code, and what is to be said of it; both absent before. */
  readonly last?: { readonly exitCode: number; readonly signal: number; readonly message: string; readonly code: number }
}

/** The tasks of every execution, in a table: an execution may have 10,000. They go with it. */
export interface TaskRows {
  /** Makes `count` waiting tasks. */
  create(execution: string, count: number): Promise<void>
  /** In order of their index. */
  list(execution: string): readonly TaskRow[]
  get(execution: string, index: number): TaskRow | undefined
  /** Durable when resolved. */
  put(execution: string, task: TaskRow): Promise<void>
}

export const taskTable: Migration = {
  name: 'table of tasks',
  run: (db) =>
    db.exec(`CREATE TABLE IF NOT EXISTS run_tasks (execution TEXT NOT NULL, task INTEGER NOT NULL, record TEXT NOT NULL,
      PRIMARY KEY (execution, task)) WITHOUT ROWID, STRICT`),
}

export function openTaskRows(state: State): TaskRows {
  const list = state.db.prepare('SELECT record FROM run_tasks WHERE execution = ? ORDER BY task')
  const get = state.db.prepare('SELECT record FROM run_tasks WHERE execution = ? AND task = ?')
  const put = state.db.prepare('INSERT INTO run_tasks VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET record = excluded.record')
  const read = (row: Record<string, unknown>) => JSON.parse(row['record'] as string) as TaskRow
  return {
    create: (execution, count) =>
      state.write(() => {
        for (let index = 0; index < count; index++) put.run(execution, index, JSON.stringify(newTask(index)))
      }),
    list: (execution) => list.all(execution).map(read),
    get(execution, index) {
      const row = get.get(execution, index)
      return row === undefined ? undefined : read(row)
    },
    put: (execution, task) => state.write(() => void put.run(execution, task.index, JSON.stringify(task))),
  }
}

export function newTask(index: number): TaskRow {
  return { index, attempt: 0, state: 'waiting', container: '', startedMs: 0, firstStartedMs: 0, completedMs: 0 }
}
