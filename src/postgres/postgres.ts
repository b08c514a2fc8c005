import { SerialQueues } from '../base/serial-queues.ts'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { embeddedMajor } from './binaries.ts'
import { clusterOf, type Cluster } from './cluster.ts'
import { containerClusters } from './container-clusters.ts'
import { startEmbedded } from './embedded.ts'
import { openHome } from './home.ts'
import type { PostgresOptions } from './postgres-options.ts'
import { openRevival } from './revival.ts'
import { stopServer } from './server.ts'
import { watchServer } from './watch.ts'

/** Real Postgres servers, one for each Cloud SQL instance. The servers listen on Unix sockets only. */
export interface Postgres extends AsyncDisposable {
  /** The major version of the embedded binaries. These run where no container can. */
  readonly major: number
  /**
   * Makes the cluster if it does not exist, and starts its server if it does not run. A cluster stays where it was made, in a container or embedded,
   * whatever a later call asks for.
   * @param name `PROJECT:REGION:INSTANCE`
   * @param major the major version of a new cluster; default: that of the embedded binaries
   * @throws CloudError POSTGRES_FAILED; DOCKER_UNREACHABLE when the data is in a volume of an engine that does not answer
   */
  open(name: string, signal: AbortSignal, major?: number): Promise<Cluster>
  /**
   * Starts the server of an existing cluster.
   * @throws CloudError as `open`; POSTGRES_DATA_GONE when the data is gone, POSTGRES_MAJOR when the data is of another major version
   */
  reopen(name: string, signal: AbortSignal): Promise<Cluster>
  /** Stops the server; the data stays. */
  stop(name: string, signal: AbortSignal): Promise<void>
  /** Stops the server and removes the data. */
  remove(name: string, signal: AbortSignal): Promise<void>
  /** Removes what servers share, above all the copied binaries, unless a cluster is left. The next `open` makes these files again. */
  purge(): void
  /** The folder of the server's socket, running or not. A container that mounts the folder keeps the socket over a restart of the server. */
  socketDirectory(name: string): string
}

/** Servers go on when the daemon ends; `open` finds them again. */
export function openPostgres(options: PostgresOptions): Postgres {
  const home = openHome(options.stateDirectory)
  const queues = new SerialQueues()
  const folder = (name: string) => join(home.directory, createHash('sha256').update(name).digest('hex').slice(0, 10))
  const data = (name: string) => join(folder(name), 'data')
  const socketDirectory = (name: string) => join(folder(name), 's')
  const containers = containerClusters(options, home, { folder, socketDirectory })

  const open = async (name: string, signal: AbortSignal, major: number | undefined): Promise<Cluster> => {
    if (containers.has(name)) await containers.start(name, signal)
    else if (existsSync(data(name)) || major === undefined || !(await containers.create(name, major, signal))) {
      await startEmbedded(home, { name, data: data(name), sockets: socketDirectory(name), isMade: false }, signal)
    }
    return clusterOf(home, name, socketDirectory(name))
  }
  const reopen = async (name: string, signal: AbortSignal): Promise<Cluster> => {
    if (containers.has(name)) await containers.start(name, signal)
    else await startEmbedded(home, { name, data: data(name), sockets: socketDirectory(name), isMade: true }, signal)
    return clusterOf(home, name, socketDirectory(name))
  }
  const opened = (name: string, start: () => Promise<Cluster>) =>
    queues.run(name, async () => {
      const cluster = await start()
      if (options.log !== undefined) revival.add(name)
      return cluster
    })
  const revive = async (name: string) => {
    options.log?.warn({ instance: name }, 'the Postgres server of a Cloud SQL instance ended; it is started again')
    await queues
      .run(name, async () => {
        if (!revival.has(name)) return
        await reopen(name, AbortSignal.timeout(60_000))
        revival.add(name)
      })
      .catch((error: unknown) => options.log?.error({ err: error, instance: name }, 'it did not start'))
  }
  const revival = openRevival((name, onEnd) => watchServer(home, socketDirectory(name), onEnd), revive)
  return {
    major: embeddedMajor,
    open: (name, signal, major) => opened(name, () => open(name, signal, major)),
    reopen: (name, signal) => opened(name, () => reopen(name, signal)),
    stop: (name, signal) =>
      queues.run(name, async () => {
        revival.delete(name)
        if (containers.has(name)) await containers.stop(name, signal)
        else await stopServer(data(name), signal)
      }),
    remove: (name, signal) =>
      queues.run(name, async () => {
        revival.delete(name)
        if (containers.has(name)) await containers.erase(name, signal)
        else await stopServer(data(name), signal)
        rmSync(folder(name), { recursive: true, force: true })
      }),
    purge() {
      const isLeft = existsSync(home.directory) && readdirSync(home.directory).some((name) => /^[0-9a-f]{10}$/.test(name))
      if (!isLeft) rmSync(home.directory, { recursive: true, force: true })
    },
    socketDirectory,
    async [Symbol.asyncDispose]() {
      revival.clear()
    },
  }
}
