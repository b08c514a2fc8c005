import { randomBytes } from 'node:crypto'
import pg from 'pg'
import type { Cluster } from '../../postgres/cluster.ts'
import type { Postgres } from '../../postgres/postgres.ts'

/** The real servers behind the instances, by connection name. What is done to one is done one thing at a time. */
export interface Servers {
  /** Runs `work` after all that was asked of this server before. */
  exclusive<T>(name: string, work: () => Promise<T>): Promise<T>
  /** Running when it resolves. @throws CloudError POSTGRES_FAILED */
  open(name: string): Promise<Cluster>
  stop(name: string): Promise<void>
  remove(name: string): Promise<void>
  /** What the server says of itself: `18.4`. */
  version(cluster: Cluster): Promise<string>
  socketDirectory(name: string): string
}

/** @param signal ends every wait when the product goes down */
export function openServers(postgres: Pick<Postgres, 'open' | 'stop' | 'remove' | 'socketDirectory'>, signal: AbortSignal): Servers {
  const queues = new Map<string, Promise<unknown>>()
  return {
    exclusive(name, work) {
      const before = queues.get(name) ?? Promise.resolve()
      const result = before.then(work, work)
      const queue = result.then(
        () => {},
        () => {},
      )
      queues.set(name, queue)
      void queue.then(() => queues.get(name) === queue && queues.delete(name))
      return result
    },
    open: (name) => postgres.open(name, signal),
    stop: (name) => postgres.stop(name, AbortSignal.timeout(30_000)),
    remove: (name) => postgres.remove(name, AbortSignal.timeout(30_000)),
    version: readVersion,
    socketDirectory: (name) => postgres.socketDirectory(name),
  }
}

/** Asks as a user that is there for the question alone; the caller holds the server exclusively, so that no list shows it. */
async function readVersion(cluster: Cluster): Promise<string> {
  const user = 'devcloud-version'
  const password = randomBytes(18).toString('base64url')
  await cluster.putUser(user, password)
  const client = new pg.Client({ host: cluster.socketDirectory, port: 5432, user, password, database: 'postgres' })
  client.on('error', () => {}) // the query that it breaks tells of it
  try {
    await client.connect()
    const { rows } = await client.query<{ readonly server_version: string }>('SHOW server_version')
    return rows[0]?.server_version.split(' ')[0] ?? ''
  } finally {
    await client.end().catch(() => {})
    await cluster.dropUser(user)
  }
}
