import { createHash } from 'node:crypto'
import { constants, type Dirent } from 'node:fs'
import { open, readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import dockerIgnore from '@balena/dockerignore'
import { pack, type Pack } from 'tar-stream'

/** Flags to open a file that may be a pipe: the open does not wait for a writer. */
export const neverWaits = constants.O_RDONLY | constants.O_NONBLOCK

/**
 * Packs the folder as the tar from which Docker builds. `Dockerfile.dockerignore` replaces `.dockerignore`. Both files and the Dockerfile are always
 * sent, as docker's own client does. A link is sent as a link and never followed. Sockets, pipes, devices and names that are not UTF-8 are left out.
 * @param dockerfile path within `directory`
 * @param onSkipped called once with the paths that were left out, if there are any
 */
export function packContext(directory: string, dockerfile: string, onSkipped: (paths: readonly string[]) => void = () => {}): Readable {
  const tar = pack()
  void fill(tar, directory, dockerfile).then(
    (skipped) => {
      if (skipped.length > 0) onSkipped(skipped)
      tar.finalize()
    },
    (error: Error) => tar.destroy(error),
  )
  return Readable.from(tar, { objectMode: false })
}

/** Gives the paths that were left out. */
async function fill(tar: Pack, directory: string, dockerfile: string): Promise<readonly string[]> {
  const skipped: string[] = []
  for await (const { path, entry } of contextEntries(directory, dockerfile)) {
    if (!(await add(tar, directory, path, entry))) skipped.push(path)
  }
  return skipped
}

/**
 * SHA-256 of what `packContext` sends, in hex: paths, kinds, modes and contents, but no times, which a checkout changes.
 * @param dockerfile path within `directory`
 */
export async function contextDigest(directory: string, dockerfile: string): Promise<string> {
  const digest = createHash('sha256').update(dockerfile)
  for await (const { path, entry } of contextEntries(directory, dockerfile)) {
    const full = join(directory, path)
    if (entry.isSymbolicLink()) digest.update(`\0link ${path}\0${await readlink(full)}`)
    else if (entry.isDirectory()) digest.update(`\0folder ${path}`)
    else if (entry.isFile()) {
      const file = await open(full, constants.O_RDONLY | constants.O_NOFOLLOW).catch(absent)
      if (file === undefined) continue
      const { mode, size } = await file.stat()
      digest.update(`\0file ${path}\0${mode & 0o777} ${size}\0`)
      await pipeline(file.createReadStream(), digest, { end: false })
    }
  }
  return digest.digest('hex')
}

/** The paths that the ignore files leave in the context. */
async function* contextEntries(directory: string, dockerfile: string): AsyncIterable<{ readonly path: string; readonly entry: Dirent }> {
  const rules = (await readText(join(directory, `${dockerfile}.dockerignore`))) ?? (await readText(join(directory, '.dockerignore'))) ?? ''
  const ignore = dockerIgnore.default().add(rules)
  const always = new Set([dockerfile, '.dockerignore'])
  const mayReturn = /^\s*!/m.test(rules)
  const enters = (path: string) => mayReturn || !ignore.ignores(path) || dockerfile.startsWith(`${path}/`)
  for await (const found of walk(directory, '', enters)) {
    if (always.has(found.path) || !ignore.ignores(found.path)) yield found
  }
}

async function* walk(
  directory: string,
  below: string,
  enters: (path: string) => boolean,
): AsyncIterable<{ readonly path: string; readonly entry: Dirent }> {
  const entries = await readdir(join(directory, below), { withFileTypes: true })
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`
    yield { path, entry }
    if (entry.isDirectory() && enters(path)) yield* walk(directory, path, enters)
  }
}

/** Adds one path. The owner is 0, as docker's own client writes, so that the cache is the same for every user. False for a path that cannot be sent. */
async function add(tar: Pack, directory: string, path: string, entry: Dirent): Promise<boolean> {
  const full = join(directory, path)
  if (entry.isSymbolicLink()) {
    tar.entry({ name: path, type: 'symlink', linkname: await readlink(full), mode: 0o777 })
  } else if (entry.isDirectory()) {
    tar.entry({ name: path, type: 'directory', mode: 0o755 })
  } else if (entry.isFile()) {
    // the file may be gone or may be a link by now; a name that is not UTF-8 finds no file
    const file = await open(full, constants.O_RDONLY | constants.O_NOFOLLOW).catch(absent)
    if (file === undefined) return false
    try {
      const { size, mode, mtime } = await file.stat()
      const into = tar.entry({ name: path, size, mode: mode & 0o777, mtime })
      if (size === 0) into.end(Buffer.alloc(0))
      else await pipeline(file.createReadStream({ start: 0, end: size - 1, autoClose: false }), into)
    } finally {
      await file.close()
    }
  } else return false
  return true
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT' && error.code !== 'ELOOP') throw error
}

async function readText(path: string): Promise<string | undefined> {
  return await readFile(path, { encoding: 'utf8', flag: neverWaits }).catch(() => undefined)
}
