import { SerialQueues } from '../../base/serial-queues.ts'
import type { Cluster } from '../../postgres/cluster.ts'
import type { Postgres } from '../../postgres/postgres.ts'

/** The real servers behind the instances, by connection name. What is done to one is done one thing at a time. */
export interface Servers {
  /** Runs `work` after all that was asked of this server before. */
  exclusive<T>(name: string, work: () => Promise<T>): Promise<T>
  /** Makes it. Running when it resolves. @throws CloudError POSTGRES_FAILED, DOCKER_UNREACHABLE */
  make(name: string, major: number): Promise<Cluster>
  /** Running when it resolves. @throws CloudError as `make`; POSTGRES_DATA_GONE, POSTGRES_MAJOR */
  open(name: string): Promise<Cluster>
  stop(name: string): Promise<void>
  remove(name: string): Promise<void>
  socketDirectory(name: string): string
}

/** @param signal ends every wait when the product goes down */
export function openServers(
  postgres: Pick<Postgres, 'open' | 'reopen' | 'stop' | 'remove' | 'socketDirectory'>,
  signal: AbortSignal,
): Servers {
  const queues = new SerialQueues()
  return {
    exclusive: (name, work) => queues.run(name, work),
    make: (name, major) => postgres.open(name, signal, major),
    open: (name) => postgres.reopen(name, signal),
    stop: (name) => postgres.stop(name, AbortSignal.timeout(30_000)),
    remove: (name) => postgres.remove(name, AbortSignal.timeout(30_000)),
    socketDirectory: (name) => postgres.socketDirectory(name),
  }
}
