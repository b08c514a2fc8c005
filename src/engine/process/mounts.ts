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
 * Makes what stands in for mounts: a link to a bound folder, a folder for a volume, files in memory where the host has /dev/shm. The links are
 * short, since a Unix socket's path has at most 107 bytes.
 * @param memoryDirectory a folder of this container alone, mode 0700, for files that must not reach a disk
 */
export function makeMounts(mounts: readonly Mount[], memoryDirectory: string, volumesDirectory: string): RealPath[] {
  return mounts.map((mount, index) => {
    const path = join(memoryDirectory, `m${index}`)
    if (mount.kind === 'bind') {
      symlinkSync(mount.source, path)
      return { target: mount.target, path }
    }
    if (mount.kind === 'volume') {
      const volume = join(volumesDirectory, inside(mount.volume))
      mkdirSync(volume, { recursive: true, mode: 0o700 })
      return { target: mount.target, path: volume }
    }
    mkdirSync(path, { mode: 0o700 })
    for (const file of mount.files) {
      const full = join(path, inside(file.path))
      mkdirSync(dirname(full), { recursive: true, mode: 0o700 })
      writeFileSync(full, file.data, { mode: 0o600 })
      chmodSync(full, file.mode & 0o700)
    }
    return { target: mount.target, path }
  })
}

function inside(path: string): string {
  const normal = normalize(path)
  if (!normal.startsWith('..') && !normal.startsWith('/')) return normal
  throw new CloudError('INVALID_ARGUMENT', `The path "${path}" leaves its mount.`, 'Use a path below it.')
}
