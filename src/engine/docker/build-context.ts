import { constants, type Dirent } from 'node:fs'
import { open, readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import dockerIgnore from '@balena/dockerignore'
import { pack, type Pack } from 'tar-stream'

/**
 * The folder as the tar that Docker builds from. `Dockerfile.dockerignore` wins over `.dockerignore`; both, and the Dockerfile itself, are
 * always sent, as docker's own client does. Links are sent as links, never followed; sockets and devices are left out.
 * @param dockerfile path within `directory`
 */
export function packContext(directory: string, dockerfile: string): Readable {
  const tar = pack()
  void fill(tar, directory, dockerfile).then(
    () => tar.finalize(),
    (error: Error) => tar.destroy(error),
  )
  return Readable.from(tar, { objectMode: false })
}

async function fill(tar: Pack, directory: string, dockerfile: string): Promise<void> {
  const rules = (await readText(join(directory, `${dockerfile}.dockerignore`))) ?? (await readText(join(directory, '.dockerignore'))) ?? ''
  const ignore = dockerIgnore.default().add(rules)
  const always = new Set([dockerfile, '.dockerignore'])
  const mayReturn = /^\s*!/m.test(rules)
  for await (const { path, entry } of walk(
    directory,
    '',
    (path) => mayReturn || !ignore.ignores(path) || dockerfile.startsWith(`${path}/`),
  )) {
    if (!always.has(path) && ignore.ignores(path)) continue
    await add(tar, directory, path, entry)
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

/** Owner 0, as docker's own client writes it, so that the cache is the same for every user. */
async function add(tar: Pack, directory: string, path: string, entry: Dirent): Promise<void> {
  const full = join(directory, path)
  if (entry.isSymbolicLink()) {
    tar.entry({ name: path, type: 'symlink', linkname: await readlink(full), mode: 0o777 })
  } else if (entry.isDirectory()) {
    tar.entry({ name: path, type: 'directory', mode: 0o755 })
  } else if (entry.isFile()) {
    const file = await open(full, constants.O_RDONLY | constants.O_NOFOLLOW) // it may have become a link since it was listed
    try {
      const { size, mode, mtime } = await file.stat()
      const into = tar.entry({ name: path, size, mode: mode & 0o777, mtime })
      if (size === 0) into.end(Buffer.alloc(0))
      else await pipeline(file.createReadStream({ start: 0, end: size - 1, autoClose: false }), into)
    } finally {
      await file.close()
    }
  }
}

async function readText(path: string): Promise<string | undefined> {
  return await readFile(path, 'utf8').catch(() => undefined)
}
