import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { Mount } from '../engine.ts'
import { insidePath, replaceFiles } from '../mounted-files.ts'

/** The real path of a mount's target: a process sees the whole host. */
export interface RealPath {
  readonly target: string
  readonly path: string
}

/** The mode of folders for processes of this user alone. */
export const fileModes = { folder: 0o700, mask: 0o700 }

/**
 * Makes the replacement of each mount: a link to a bound folder, a folder for a volume, files in memory where the host has /dev/shm. The links are short,
 * since a Unix socket's path has at most 107 bytes.
 * @param memoryDirectory a folder of this container alone, mode 0700, for files that must not reach a disk
 * @param sharedDirectory a folder in memory that the containers of one instance share
 */
export function makeMounts(
  mounts: readonly Mount[],
  memoryDirectory: string,
  sharedDirectory: string,
  volumesDirectory: string,
): RealPath[] {
  return mounts.map((mount, index) => {
    const path = join(memoryDirectory, `m${index}`)
    if (mount.kind === 'bind') {
      symlinkSync(mount.source, path)
      return { target: mount.target, path }
    }
    if (mount.kind === 'volume') {
      const volume = join(volumesDirectory, insidePath(mount.volume))
      mkdirSync(volume, { recursive: true, mode: 0o700 })
      return { target: mount.target, path: volume }
    }
    if (mount.kind === 'memory') {
      const shared = join(sharedDirectory, insidePath(mount.volume))
      mkdirSync(shared, { recursive: true, mode: 0o700 })
      return { target: mount.target, path: shared }
    }
    replaceFiles(path, memoryDirectory, mount.files, fileModes)
    return { target: mount.target, path }
  })
}
