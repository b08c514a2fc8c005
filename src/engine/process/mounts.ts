import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { CloudError } from '../../base/cloud-error.ts'
import type { Mount } from '../engine.ts'

/** Where a mount's target really is for a process, which sees the whole host. */
export interface RealPath {
  readonly target: string
  readonly path: string
}

/**
 * Makes what stands in for mounts below `directory`: a link to a bound folder, a folder for a volume, files in memory where the host has /dev/shm.
 * @param memoryDirectory a folder of this container alone, mode 0700, for files that must not reach a disk
 */
export function makeMounts(mounts: readonly Mount[], directory: string, memoryDirectory: string, volumesDirectory: string): RealPath[] {
  return mounts.map((mount, index) => {
    if (mount.kind === 'bind') {
      const path = join(directory, `mount-${index}`)
      symlinkSync(mount.source, path)
      return { target: mount.target, path: mount.source }
    }
    if (mount.kind === 'volume') {
      const path = join(volumesDirectory, mount.volume)
      mkdirSync(path, { recursive: true, mode: 0o700 })
      return { target: mount.target, path }
    }
    const path = join(memoryDirectory, `files-${index}`)
    for (const file of mount.files) {
      const full = join(path, inside(file.path))
      mkdirSync(dirname(full), { recursive: true, mode: 0o700 })
      writeFileSync(full, file.data, { mode: 0o600 })
      chmodSync(full, file.mode & 0o777 & ~0o077)
    }
    return { target: mount.target, path }
  })
}

/**
 * Values with each mount's target replaced by its real path: `/cloudsql/p:r:i`, plain and as a URL writes it. Longest targets first. A target
 * counts only as a whole path, so `/cloudsqlx` stays. A parent of targets (`/cloudsql`) stands for the folder that holds them all.
 */
export function rewritePaths(env: Readonly<Record<string, string>>, paths: readonly RealPath[]): Record<string, string> {
  const ordered = paths.toSorted((a, b) => b.target.length - a.target.length)
  return Object.fromEntries(
    Object.entries(env).map(([name, value]) => {
      let rewritten = value
      for (const { target, path } of ordered) {
        for (const [from, to] of forms(target, path)) rewritten = replacePath(rewritten, from, to)
      }
      return [name, rewritten]
    }),
  )
}

/** The ways in which a path stands in settings: plain, with colons escaped, and wholly escaped. */
function forms(target: string, path: string): (readonly [string, string])[] {
  const escaped = encodeURIComponent(target)
  return [
    [target, path],
    [target.replaceAll(':', '%3A'), path],
    [escaped, encodeURIComponent(path)],
    [escaped.replaceAll('%3A', ':'), encodeURIComponent(path)],
  ]
}

function replacePath(text: string, from: string, to: string): string {
  let result = ''
  let at = 0
  for (;;) {
    const found = text.indexOf(from, at)
    if (found === -1) return result + text.slice(at)
    const next = text.charAt(found + from.length)
    const isWhole = next === '' || !/[\w.-]/.test(next)
    result += text.slice(at, found) + (isWhole ? to : from)
    at = found + from.length
  }
}

function inside(path: string): string {
  const normal = normalize(path)
  if (!normal.startsWith('..') && !normal.startsWith('/')) return normal
  throw new CloudError('INVALID_ARGUMENT', `The file path "${path}" leaves its mount.`, 'Use a path below it.')
}
