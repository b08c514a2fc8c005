import { createHash } from 'node:crypto'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Engine } from '../engine/engine.ts'
import { embeddedMajor } from './binaries.ts'
import { clusterOf, type Cluster } from './cluster.ts'
import { containerClusters } from './container-clusters.ts'
import { startEmbedded } from './embedded.ts'
import { openHome } from './home.ts'
import { stopServer } from './server.ts'

/** Real Postgres servers, one for each Cloud SQL instance. They listen on Unix sockets only. */
export interface Postgres extends AsyncDisposable {
  /** The major version of the embedded binaries, which run where no container does. */
  readonly major: number
  /**
   * Makes the cluster when there is none, and starts it when it does not run. One that was made lives where it was made, in a container or
   * embedded, whatever is asked for later.
   * @param name `PROJECT:REGION:INSTANCE`
   * @param major wanted of a new cluster; without it, the embedded one
   * @throws CloudError POSTGRES_FAILED; DOCKER_UNREACHABLE when its data is in a volume of an engine that does not answer
   */
  open(name: string, signal: AbortSignal, major?: number): Promise<Cluster>
  /** Ends its server; the data stays. */
  stop(name: string, signal: AbortSignal): Promise<void>
  /** Ends its server and removes its data. */
  remove(name: string, signal: AbortSignal): Promise<void>
  /** Removes what servers share, once every cluster is removed. */
  purge(): void
  /** Where its socket is, running or not: mounted as a folder, it survives a restart of the server. */
  socketDirectory(name: string): string
}

export interface PostgresOptions {
  readonly stateDirectory: string
  /** The engine whose containers a project's servers run in; undefined where it has none. @throws CloudError DOCKER_UNREACHABLE */
  readonly containersFor?: (project: string) => Promise<Engine | undefined>
  /** The project's own folder, whose compose/postgres.yaml wins over devcloud's; undefined where it has none. */
  readonly directoryOf?: (project: string) => string | undefined
}

/** Servers go on when the daemon ends; `open` finds them again. */
export function openPostgres(options: PostgresOptions): Postgres {
  const home = openHome(options.stateDirectory)
  const opening = new Map<string, Promise<Cluster>>()
  const folder = (name: string) => join(home.directory, createHash('sha256').update(name).digest('hex').slice(0, 10))
  const data = (name: string) => join(folder(name), 'data')
  const socketDirectory = (name: string) => join(folder(name), 's')
  const containers = containerClusters(options, home, { folder, socketDirectory })

  const open = async (name: string, signal: AbortSignal, major: number | undefined): Promise<Cluster> => {
    if (containers.has(name)) await containers.start(name, signal)
    else if (existsSync(data(name)) || major === undefined || !(await containers.create(name, major, signal))) {
      await startEmbedded(home, data(name), socketDirectory(name), signal)
    }
    return clusterOf(home, name, socketDirectory(name))
  }
  const stop = (name: string, signal: AbortSignal) =>
    containers.has(name) ? containers.stop(name, signal) : stopServer(data(name), signal)
  return {
    major: embeddedMajor,
    open(name, signal, major) {
      const before = opening.get(name) ?? Promise.resolve()
      const opened = before.then(
        () => open(name, signal, major),
        () => open(name, signal, major),
      )
      opening.set(name, opened)
      return opened
    },
    stop,
    async remove(name, signal) {
      if (containers.has(name)) await containers.erase(name, signal)
      else await stopServer(data(name), signal)
      rmSync(folder(name), { recursive: true, force: true })
    },
    purge: () => rmSync(home.directory, { recursive: true, force: true }),
    socketDirectory,
    async [Symbol.asyncDispose]() {},
  }
}
