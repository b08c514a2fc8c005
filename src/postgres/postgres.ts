import { createHash } from 'node:crypto'
import { cpSync, existsSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { chownTree } from './chown-tree.ts'
import { embeddedBinaries, embeddedMajor } from './binaries.ts'
import { clusterOf, type Cluster } from './cluster.ts'
import { makeOwned, openHome } from './home.ts'
import { runningPid, startServer, stopServer } from './server.ts'
import { dataTemplate } from './template.ts'

/** Real Postgres servers, one for each Cloud SQL instance. They listen on Unix sockets only. */
export interface Postgres extends AsyncDisposable {
  /** The major version that a server has here. */
  readonly major: number
  /** Makes the cluster when there is none, and starts it when it does not run. @param name `PROJECT:REGION:INSTANCE` */
  open(name: string, signal: AbortSignal): Promise<Cluster>
  /** Ends its server; the data stays. */
  stop(name: string, signal: AbortSignal): Promise<void>
  /** Ends its server and removes its data. */
  remove(name: string, signal: AbortSignal): Promise<void>
  /** Removes what servers share, once every cluster is removed. */
  purge(): void
  /** Where its socket is, running or not: mounted as a folder, it survives a restart of the server. */
  socketDirectory(name: string): string
}

/** Servers go on when the daemon ends; `open` finds them again. */
export function openPostgres(options: { readonly stateDirectory: string }): Postgres {
  const home = openHome(options.stateDirectory)
  const opening = new Map<string, Promise<Cluster>>()
  const folder = (name: string) => join(home.directory, createHash('sha256').update(name).digest('hex').slice(0, 10))
  const data = (name: string) => join(folder(name), 'data')
  const socketDirectory = (name: string) => join(folder(name), 's')

  const open = async (name: string, signal: AbortSignal): Promise<Cluster> => {
    const cluster = clusterOf(home, name, socketDirectory(name))
    if (runningPid(data(name)) !== undefined) return cluster
    const binaries = embeddedBinaries(home.directory, home.owner)
    if (!existsSync(data(name))) {
      const template = await dataTemplate(home, binaries, signal)
      makeOwned(home, folder(name), 0o711)
      const copy = `${data(name)}.new`
      rmSync(copy, { recursive: true, force: true })
      cpSync(template, copy, { recursive: true, preserveTimestamps: true })
      if (home.owner !== undefined) chownTree(copy, home.owner)
      renameSync(copy, data(name))
    }
    makeOwned(home, socketDirectory(name), 0o755)
    await startServer(home, binaries, data(name), socketDirectory(name), join(folder(name), 'log'), signal)
    return cluster
  }
  return {
    major: embeddedMajor,
    open(name, signal) {
      const before = opening.get(name) ?? Promise.resolve()
      const opened = before.then(
        () => open(name, signal),
        () => open(name, signal),
      )
      opening.set(name, opened)
      return opened
    },
    stop: (name, signal) => stopServer(data(name), signal),
    async remove(name, signal) {
      await stopServer(data(name), signal)
      rmSync(folder(name), { recursive: true, force: true })
    },
    purge: () => rmSync(home.directory, { recursive: true, force: true }),
    socketDirectory,
    async [Symbol.asyncDispose]() {},
  }
}
