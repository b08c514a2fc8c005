import type { State } from '../state/state.ts'

/** One finished request. `revision` and `instance` are empty when none took it. */
export interface LoggedRequest {
  readonly timeMs: number
  readonly project: string
  readonly service: string
  readonly revision: string
  readonly instance: string
  readonly method: string
  /** As the client sent it. */
  readonly target: string
  readonly status: number
  readonly latencyMs: number
  readonly requestBytes: number
  readonly responseBytes: number
  readonly userAgent: string
  readonly remoteIp: string
  readonly traceId: string
}

/** The newest requests of every project, in a ring on disk. Requests of the last moment before a `kill -9` may be missing. */
export interface RequestLog extends AsyncDisposable {
  add(request: LoggedRequest): void
  /** The last `limit` requests, oldest first. */
  tail(filter: RequestFilter, limit: number): readonly LoggedRequest[]
  /** Tells of each request from now on, until `signal` ends. */
  follow(filter: RequestFilter, onRequest: (request: LoggedRequest) => void, signal: AbortSignal): void
}

export interface RequestFilter {
  readonly project: string
  readonly service?: string | undefined
}

/** Rows kept, of all projects together. */
const ringSize = 20_000
/** Requests are written together, this long after the first of them: the router never waits for a disk. */
const flushMs = 300

export function openRequestLog(state: State): RequestLog {
  state.db
    .exec(`CREATE TABLE IF NOT EXISTS requests (id INTEGER PRIMARY KEY, project TEXT NOT NULL, service TEXT NOT NULL, record TEXT NOT NULL) STRICT;
    CREATE INDEX IF NOT EXISTS requests_by_service ON requests (project, service, id)`)
  const insert = state.db.prepare('INSERT INTO requests (project, service, record) VALUES (?, ?, ?)')
  const trim = state.db.prepare('DELETE FROM requests WHERE id <= (SELECT max(id) FROM requests) - ?')
  const all = state.db.prepare('SELECT record FROM requests WHERE project = ? ORDER BY id DESC LIMIT ?')
  const some = state.db.prepare('SELECT record FROM requests WHERE project = ? AND service = ? ORDER BY id DESC LIMIT ?')
  const followers = new Set<(request: LoggedRequest) => void>()
  let pending: LoggedRequest[] = []
  let timer: NodeJS.Timeout | undefined

  const flush = async () => {
    timer = undefined
    const batch = pending.slice(-ringSize)
    pending = []
    if (batch.length === 0) return
    await state.write(() => {
      for (const request of batch) insert.run(request.project, request.service, JSON.stringify(request))
      trim.run(ringSize)
    })
  }
  return {
    add(request) {
      pending.push(request)
      for (const tell of followers) tell(request)
      timer ??= setTimeout(() => void flush().catch(() => {}), flushMs) // a full disk is told to those who wait for their writes
    },
    tail({ project, service }, limit) {
      const rows = service === undefined ? all.all(project, limit) : some.all(project, service, limit)
      const written = rows.map((row) => JSON.parse(row['record'] as string) as LoggedRequest).toReversed()
      return [...written, ...pending.filter((request) => matches(request, { project, service }))].slice(-limit)
    },
    follow(filter, onRequest, signal) {
      const tell = (request: LoggedRequest) => void (matches(request, filter) && onRequest(request))
      followers.add(tell)
      signal.addEventListener('abort', () => followers.delete(tell), { once: true })
    },
    async [Symbol.asyncDispose]() {
      clearTimeout(timer)
      await flush()
    },
  }
}

function matches(request: LoggedRequest, { project, service }: RequestFilter): boolean {
  return request.project === project && (service === undefined || request.service === service)
}
