import { cpSync, existsSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { embeddedBinaries } from './binaries.ts'
import { chownTree } from './chown-tree.ts'
import { makeOwned, type Home } from './home.ts'
import { runningPid, startServer } from './server.ts'
import { dataTemplate } from './template.ts'

/** Starts a server of the embedded binaries, with new data where `data` is no folder yet. Resolves when it answers. @throws CloudError POSTGRES_FAILED */
export async function startEmbedded(home: Home, data: string, sockets: string, signal: AbortSignal): Promise<void> {
  if (runningPid(data) !== undefined) return
  const folder = dirname(data)
  const binaries = embeddedBinaries(home.directory, home.owner)
  if (!existsSync(data)) {
    const template = await dataTemplate(home, binaries, signal)
    makeOwned(home, folder, 0o711)
    const copy = `${data}.new`
    rmSync(copy, { recursive: true, force: true })
    cpSync(template, copy, { recursive: true, preserveTimestamps: true })
    if (home.owner !== undefined) chownTree(copy, home.owner)
    renameSync(copy, data)
  }
  makeOwned(home, sockets, 0o755)
  await startServer(home, binaries, data, sockets, join(folder, 'log'), signal)
}
