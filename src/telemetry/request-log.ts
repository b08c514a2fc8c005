import type { Migration } from '../state/migrations.ts'
import type { State } from '../state/state.ts'
import type { LoggedRequest } from './logged-request.ts'
import { PendingRequests } from './pending-requests.ts'

/**
 * The newest requests of every project, in a ring on disk. Requests of the last moment before a `kill -9` may be missing: of the last second,
 * or of the last seconds when thousands a second come.
 */
export interface RequestLog extends AsyncDisposable {
  /** Copies `request`. Cheap: it runs for every request of the router. */
  add(request: LoggedRequest): void
  /** The last `limit` requests, oldest first. */
  tail(filter: RequestFilter, limit: number): readonly LoggedRequest[]
  /** Tells of each request from now on, until `signal` ends. */
  follow(filter: RequestFilter, onRequest: (request: LoggedRequest) => void, signal: AbortSignal): void
  /** Forgets all of a project. Durable when resolved. */
  removeProject(project: string): Promise<void>
}

interface RequestFilter {
  readonly project: string
  readonly service?: string | undefined
}

/** Rows kept, of all projects together. */
const ringSize = 20_000
/** Requests are written together, this long after the first of them: the router never waits for a disk. */
const flushMs = 300
/** Rows of one flush, while requests come fast and while they do not: 2 ms of the event loop, and 10 when nobody is waiting for it. */
const busyRows = 256
const calmRows = 2048

export const requestTables: Migration = {
  name: 'table of requests',
  run: (db) =>
    db.exec(`CREATE TABLE IF NOT EXISTS requests (id INTEGER PRIMARY KEY, project TEXT NOT NULL, service TEXT NOT NULL, record TEXT NOT NULL) STRICT;
      CREATE INDEX IF NOT EXISTS requests_by_service ON requests (project, service, id)`),
}

export function openRequestLog(state: State): RequestLog {
  const insert = state.db.prepare('INSERT INTO requests (project, service, record) VALUES (?, ?, ?)')
  const trim = state.db.prepare('DELETE FROM requests WHERE id <= (SELECT max(id) FROM requests) - ?')
  const all = state.db.prepare('SELECT record FROM requests WHERE project = ? ORDER BY id DESC LIMIT ?')
  const some = state.db.prepare('SELECT record FROM requests WHERE project = ? AND service = ? ORDER BY id DESC LIMIT ?')
  const followers = new Set<(request: LoggedRequest) => void>()
  const pending = new PendingRequests(ringSize)
  let addedSinceFlush = 0
  let timer: NodeJS.Timeout | undefined

  const flush = (rows: number) => {
    timer = undefined
    addedSinceFlush = 0
    const count = Math.min(rows, pending.length)
    if (count === 0) return
    state.jot(() => {
      for (let n = 0; n < count; n += 1) {
        const request = pending.take()
        insert.run(request.project, request.service, JSON.stringify(request))
      }
      trim.run(ringSize)
    })
  }
  const tick = () => {
    try {
      flush(addedSinceFlush > busyRows ? busyRows : calmRows)
    } catch {} // a full disk is told to those who wait for their writes
    if (pending.length > 0) schedule()
  }
  const schedule = () => (timer ??= setTimeout(tick, flushMs))
  return {
    add(request) {
      pending.push(request)
      addedSinceFlush += 1
      for (const tell of followers) tell(request)
      schedule()
    },
    tail({ project, service }, limit) {
      const rows = service === undefined ? all.all(project, limit) : some.all(project, service, limit)
      const written = rows.map((row) => JSON.parse(row['record'] as string) as LoggedRequest).toReversed()
      return [...written, ...pending.all().filter((request) => matches(request, { project, service }))].slice(-limit)
    },
    follow(filter, onRequest, signal) {
      const tell = (request: LoggedRequest) => void (matches(request, filter) && onRequest(request))
      followers.add(tell)
      signal.addEventListener('abort', () => followers.delete(tell), { once: true })
    },
    async removeProject(project) {
      flush(ringSize)
      await state.write((db) => void db.prepare('DELETE FROM requests WHERE project = ?').run(project))
    },
    async [Symbol.asyncDispose]() {
      clearTimeout(timer)
      flush(ringSize)
    },
  }
}

function matches(request: LoggedRequest, { project, service }: RequestFilter): boolean {
  return request.project === project && (service === undefined || request.service === service)
}
