import { cpSync, existsSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { embeddedBinaries, embeddedMajor } from './binaries.ts'
import { chownTree } from './chown-tree.ts'
import { dataGone, dataMajor, otherMajor } from './data-faults.ts'
import { makeOwned, type Home } from './home.ts'
import { runningPid, startServer } from './server.ts'
import { dataTemplate } from './template.ts'

/**
 * Starts a server of the embedded binaries. Resolves when the server answers.
 * @param cluster.isMade whether the data was made before; otherwise data is made unless the folder `data` exists
 * @throws CloudError POSTGRES_FAILED, POSTGRES_DATA_GONE, POSTGRES_MAJOR
 */
export async function startEmbedded(
  home: Home,
  cluster: { readonly name: string; readonly data: string; readonly sockets: string; readonly isMade: boolean },
  signal: AbortSignal,
): Promise<void> {
  const { name, data, sockets, isMade } = cluster
  if (runningPid(data) !== undefined) return
  const found = dataMajor(data)
  if (found === undefined && (isMade || existsSync(data))) throw dataGone(name, data)
  if (found !== undefined && found !== String(embeddedMajor)) throw otherMajor(name, found, String(embeddedMajor), dumpCommand(data, found))
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

/** The command that dumps a cluster. It needs Docker: the image of that version runs over the folder as the folder's owner. */
function dumpCommand(data: string, major: string): string {
  const program = 'pg_ctl -D /data -w -o "-k /tmp" start >&2 && pg_dumpall -h /tmp -U cloudsqladmin'
  return `docker run --rm -v ${data}:/data -u $(stat -c %u ${data}) postgres:${major} sh -c '${program}' > all.sql`
}
