import { constants } from 'node:fs'
import { lstat, mkdir, open, readdir, rename, rm, rmdir, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import type { SeenFile } from './folder-plan.ts'

/**
 * Files below `root`, which a container may change at any time: every step into a folder is taken without following links, so that nothing outside
 * is read or written, whatever it puts there.
 */

/** Regular files by their path; links and others are passed over. */
export async function lookAt(root: string): Promise<Map<string, SeenFile>> {
  const files = new Map<string, SeenFile>()
  const visit = async (below: string): Promise<void> => {
    const entries = await readdir(join(root, below), { withFileTypes: true }).catch(() => [])
    const pathOf = (name: string) => (below === '' ? name : `${below}/${name}`)
    const named = entries.filter(({ name }) => !name.includes('\uFFFD')) // not UTF-8, as names of objects are
    const stats = named.map(async (entry) => {
      const path = pathOf(entry.name)
      const stat = entry.isFile() ? await lstat(join(root, path)).catch(() => undefined) : undefined
      if (stat !== undefined) files.set(path, { sizeBytes: stat.size, mtimeMs: stat.mtimeMs })
    })
    await Promise.all(stats)
    for (const entry of named) if (entry.isDirectory()) await visit(pathOf(entry.name))
  }
  await visit('')
  return files
}

/** A file for reading; undefined when it is none, or gone. */
export async function openFile(root: string, path: string): Promise<FileHandle | undefined> {
  const result = await inFolderOf(root, path, false, async (at) => {
    const file = await open(at, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    if ((await file.stat()).isFile()) return file
    await file.close()
    return undefined
  })
  return result
}

/** Moves `draft` to `path`, making the folders between. False when something else is in the way. */
export async function moveInto(root: string, path: string, draft: string): Promise<boolean> {
  const moved = await inFolderOf(root, path, true, async (at) => {
    await rename(draft, at)
    return true
  })
  return moved ?? false
}

/** Removes a file, and the folders that it leaves empty. */
export async function removeFile(root: string, path: string): Promise<void> {
  await inFolderOf(root, path, false, async (at) => {
    await rm(at, { force: true })
    return true
  })
  const parts = path.split('/').slice(0, -1)
  for (; parts.length > 0; parts.pop()) {
    const removed = await inFolderOf(root, parts.join('/'), false, async (at) => {
      await rmdir(at)
      return true
    })
    if (removed === undefined) return
  }
}

export async function makeFolder(root: string, path: string): Promise<void> {
  await inFolderOf(root, `${path}/x`, true, async () => true)
}

/** Runs `act` on the path by which the last part of `path` is reached from its opened folder. Undefined when that cannot be. */
async function inFolderOf<T>(root: string, path: string, makes: boolean, act: (at: string) => Promise<T>): Promise<T | undefined> {
  const parts = path.split('/')
  const last = parts.pop() ?? ''
  let folder: FileHandle | undefined
  try {
    folder = await openFolder(root)
    let here = root
    for (const part of parts) {
      const at = within(folder, here, part)
      here = join(here, part)
      const next = await openFolder(at).catch(async (error: unknown) => {
        if (!makes || !isAbsent(error)) throw error
        const isNew = await mkdir(at, { mode: 0o777 }).then(
          () => true,
          () => false, // somebody made it meanwhile
        )
        const made = await openFolder(at)
        if (isNew) await made.chmod(0o777)
        return made
      })
      await folder.close()
      folder = next
    }
    return await act(within(folder, here, last))
  } catch (error) {
    if (isExpected(error)) return undefined
    throw error
  } finally {
    await folder?.close()
  }
}

function openFolder(path: string): Promise<FileHandle> {
  return open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
}

/** By the folder's handle where the system has such paths; elsewhere containers run in a machine of their own and by its mounts. */
function within(folder: FileHandle, path: string, name: string): string {
  return process.platform === 'linux' ? `/proc/self/fd/${folder.fd}/${name}` : join(path, name)
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}

/** What a container can bring about: it removed, replaced, linked or filled something. */
function isExpected(error: unknown): boolean {
  const codes = ['ENOENT', 'ENOTDIR', 'EISDIR', 'ELOOP', 'ENOTEMPTY', 'EEXIST', 'EMLINK', 'ENXIO', 'ENAMETOOLONG']
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}
