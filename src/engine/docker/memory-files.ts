import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { CloudError } from '../../base/cloud-error.ts'
import type { MountedFile, Mount } from '../engine.ts'
import { replaceFiles } from '../mounted-files.ts'

type FilesMount = Extract<Mount, { kind: 'files' }>

/** Where files of mounts are held: in memory where the host has /dev/shm, else in the temporary folder. Mode 0700, one of each state directory. */
export interface MemoryFiles {
  /** Writes the files of each mount to a folder of its own. Answers their common folder's name, and the paths in the order of `mounts`. */
  write(mounts: readonly FilesMount[]): { readonly name: string; readonly paths: readonly string[] }
  /** Makes the mount whose folder is `path`, one that `write` gave, hold these files instead. */
  replace(path: string, files: readonly MountedFile[]): void
  remove(name: string): void
  /** Removes all but the folders in `kept`: what was left by a start that was cut short, or by `docker rm`. */
  sweep(kept: ReadonlySet<string>): void
}

/** Open to whatever user the image runs as: the folder above is what keeps others of this host out. */
const modes = { folder: 0o755, mask: 0o777 }

export function openMemoryFiles(stateDirectory: string): MemoryFiles {
  const id = createHash('sha256').update(stateDirectory).digest('hex').slice(0, 12)
  const root = join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), `devcloud-docker-${process.getuid?.() ?? 0}-${id}`)
  const open = () => {
    mkdirSync(root, { recursive: true, mode: 0o700 })
    chmodSync(root, 0o700) // throws when it is another user's
  }
  return {
    write(mounts) {
      open()
      const folder = mkdtempSync(join(root, 'c-'))
      const paths = mounts.map((mount, index) => {
        const path = join(folder, `m${index}`)
        replaceFiles(path, folder, mount.files, modes)
        return path
      })
      return { name: basename(folder), paths }
    },
    replace(path, files) {
      if (dirname(dirname(path)) !== root) throw new CloudError('INTERNAL', `${path} holds no files of a mount.`, 'devcloud doctor')
      if (existsSync(path)) replaceFiles(path, dirname(path), files, modes) // else the container is gone
    },
    remove(name) {
      if (/^c-\w+$/.test(name)) rmSync(join(root, name), { recursive: true, force: true })
      if (existsSync(root) && readdirSync(root).length === 0) rmSync(root, { recursive: true, force: true })
    },
    sweep(kept) {
      if (!existsSync(root)) return
      for (const name of readdirSync(root)) if (!kept.has(name)) this.remove(name)
    },
  }
}
