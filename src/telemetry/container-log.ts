import type { Migration } from '../state/migrations.ts'
import type { State } from '../state/state.ts'

/** One line of a container's output, or a line of devcloud about the container. The container (a task of a job, or an instance) may be gone. */
export interface LoggedLine {
  readonly timeMs: number
  readonly project: string
  /** Google's resource type. */
  readonly resource: 'cloud_run_job' | 'cloud_run_worker_pool' | 'cloud_run_revision'
  /** The id of the job, worker pool or service. */
  readonly owner: string
  /** The id of the execution or revision. */
  readonly run: string
  /** Identifies the container: `TASK/ATTEMPT`, or the instance's name. */
  readonly instance: string
  /** `system` marks a line of devcloud: one JSON object with severity and message. */
  readonly stream: 'stdout' | 'stderr' | 'system'
  readonly text: string
}

/** The newest lines, in a ring on disk. Lines of the last moment before a `kill -9` are read again from the adopted container. */
export interface ContainerLog extends AsyncDisposable {
  add(line: LoggedLine): void
  /** Resolves when all added lines are on disk. */
  flush(): Promise<void>
  /** The last `limit` lines, oldest first. */
  tail(filter: LineFilter, limit: number): readonly LoggedLine[]
  /** Gives each new line, until `signal` ends. */
  follow(filter: LineFilter, onLine: (line: LoggedLine) => void, signal: AbortSignal): void
  /** Forgets the lines of one container, before they are read again. */
  forget(line: Pick<LoggedLine, 'project' | 'owner' | 'run' | 'instance'>): Promise<void>
  /** Forgets all lines of a project. Durable when resolved. */
  removeProject(project: string): Promise<void>
}

interface LineFilter {
  readonly project: string
  readonly owner?: string | undefined
  readonly run?: string | undefined
}

/** How many bytes of text are kept, for all projects together. */
const ringBytes = 64 << 20
/** The longest line, in characters. Longer lines are cut: an entry of Cloud Logging has at most 256 KiB. */
const longest = 64 << 10
const flushMs = 300

export const containerLineTables: Migration = {
  name: 'table of container lines',
  run: (db) =>
    db.exec(`CREATE TABLE IF NOT EXISTS container_lines (id INTEGER PRIMARY KEY, project TEXT NOT NULL, owner TEXT NOT NULL,
        run TEXT NOT NULL, instance TEXT NOT NULL, size INTEGER NOT NULL, record TEXT NOT NULL) STRICT;
      CREATE INDEX IF NOT EXISTS container_lines_by_owner ON container_lines (project, owner, run, id)`),
}

export function openContainerLog(state: State): ContainerLog {
  const insert = state.db.prepare('INSERT INTO container_lines (project, owner, run, instance, size, record) VALUES (?, ?, ?, ?, ?, ?)')
  const oldest = state.db.prepare('SELECT id, size FROM container_lines ORDER BY id LIMIT 1000')
  const trim = state.db.prepare('DELETE FROM container_lines WHERE id <= ?')
  const remove = state.db.prepare('DELETE FROM container_lines WHERE project = ? AND owner = ? AND run = ? AND instance = ?')
  const sum = state.db.prepare('SELECT coalesce(sum(size), 0) AS bytes FROM container_lines')
  const select = (where: string) => state.db.prepare(`SELECT record FROM container_lines WHERE ${where} ORDER BY id DESC LIMIT ?`)
  const ofProject = select('project = ?')
  const ofOwner = select('project = ? AND owner = ?')
  const ofRun = select('project = ? AND owner = ? AND run = ?')
  const followers = new Set<(line: LoggedLine) => void>()
  let bytes = Number(sum.get()?.['bytes'] ?? 0)
  let pending: LoggedLine[] = []
  let timer: NodeJS.Timeout | undefined

  const trimToSize = () => {
    while (bytes > ringBytes) {
      let last = 0
      for (const row of oldest.all()) {
        if (bytes <= ringBytes) break
        bytes -= Number(row['size'])
        last = Number(row['id'])
      }
      if (last === 0) return
      trim.run(last)
    }
  }
  const flush = async () => {
    clearTimeout(timer)
    timer = undefined
    const batch = pending
    pending = []
    if (batch.length === 0) return
    await state.write(() => {
      for (const line of batch) {
        const record = JSON.stringify(line)
        bytes += record.length
        insert.run(line.project, line.owner, line.run, line.instance, record.length, record)
      }
      trimToSize()
    })
  }
  return {
    flush,
    add(told) {
      const line = told.text.length > longest ? { ...told, text: told.text.slice(0, longest) } : told
      pending.push(line)
      for (const tell of followers) tell(line)
      if (pending.length >= 1000) void flush().catch(() => {})
      else timer ??= setTimeout(() => void flush().catch(() => {}), flushMs) // a full disk is told to those who wait for their writes
    },
    tail(filter, limit) {
      const { project, owner, run } = filter
      const rows =
        owner === undefined
          ? ofProject.all(project, limit)
          : run === undefined
            ? ofOwner.all(project, owner, limit)
            : ofRun.all(project, owner, run, limit)
      const written = rows.map((row) => JSON.parse(row['record'] as string) as LoggedLine).toReversed()
      return [...written, ...pending.filter((line) => matches(line, filter))].slice(-limit)
    },
    follow(filter, onLine, signal) {
      const tell = (line: LoggedLine) => void (matches(line, filter) && onLine(line))
      followers.add(tell)
      signal.addEventListener('abort', () => followers.delete(tell), { once: true })
    },
    async forget({ project, owner, run, instance }) {
      await flush()
      await state.write(() => void remove.run(project, owner, run, instance))
      bytes = Number(sum.get()?.['bytes'] ?? 0)
    },
    async removeProject(project) {
      pending = pending.filter((line) => line.project !== project)
      await state.write((db) => void db.prepare('DELETE FROM container_lines WHERE project = ?').run(project))
      bytes = Number(sum.get()?.['bytes'] ?? 0)
    },
    async [Symbol.asyncDispose]() {
      await flush()
    },
  }
}

function matches(line: LoggedLine, { project, owner, run }: LineFilter): boolean {
  return line.project === project && (owner === undefined || line.owner === owner) && (run === undefined || line.run === run)
}
