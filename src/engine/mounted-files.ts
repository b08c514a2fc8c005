import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { CloudError } from '../base/cloud-error.ts'
import type { MountedFile } from './engine.ts'

/**
 * Makes `folder` hold `files` and nothing else. A file is written in `staging`, on the same file system, and then moved to its path, so that a reader
 * sees the old bytes or the new bytes.
 * @param modes `folder` is the mode of new folders; `mask` is added to the mode of each file
 * @throws CloudError INVALID_ARGUMENT for a path that leaves `folder`
 */
export function replaceFiles(
  folder: string,
  staging: string,
  files: readonly MountedFile[],
  modes: { readonly folder: number; readonly mask: number },
): void {
  const paths = files.map((file) => insidePath(file.path))
  makeFolder(folder, modes.folder)
  for (const [index, file] of files.entries()) {
    const draft = join(staging, `new-${crypto.randomUUID()}`)
    const path = join(folder, paths[index] ?? '')
    writeFileSync(draft, file.data, { mode: 0o600 })
    chmodSync(draft, file.mode & modes.mask)
    makeFolder(dirname(path), modes.folder)
    renameSync(draft, path)
  }
  removeOthers(folder, '', new Set(paths))
}

/** Normalizes `path`. @throws CloudError INVALID_ARGUMENT for a path that leaves its mount */
export function insidePath(path: string): string {
  const normal = normalize(path)
  if (!normal.startsWith('..') && !normal.startsWith('/')) return normal
  throw new CloudError('INVALID_ARGUMENT', `The path "${path}" leaves its mount.`, 'Use a path below it.')
}

function makeFolder(path: string, mode: number): void {
  if (existsSync(path)) return
  makeFolder(dirname(path), mode)
  mkdirSync(path)
  chmodSync(path, mode)
}

function removeOthers(folder: string, below: string, kept: ReadonlySet<string>): void {
  for (const entry of readdirSync(join(folder, below), { withFileTypes: true })) {
    const path = join(below, entry.name)
    if (!entry.isDirectory()) {
      if (!kept.has(path)) rmSync(join(folder, path), { force: true })
      continue
    }
    removeOthers(folder, path, kept)
    if (readdirSync(join(folder, path)).length === 0) rmdirSync(join(folder, path))
  }
}
