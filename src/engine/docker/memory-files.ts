import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, normalize } from 'node:path'
import { CloudError } from '../../base/cloud-error.ts'
import type { Mount } from '../engine.ts'

type FilesMount = Extract<Mount, { kind: 'files' }>

/** Where files of mounts are held: in memory where the host has /dev/shm, else in the temporary folder. Mode 0700, one of each state directory. */
export interface MemoryFiles {
  /** Writes the files of each mount to a folder of its own. Answers their common folder's name, and the paths in the order of `mounts`. */
  write(mounts: readonly FilesMount[]): { readonly name: string; readonly paths: readonly string[] }
  remove(name: string): void
  /** Removes all but the folders in `kept`: what was left by a start that was cut short, or by `docker rm`. */
  sweep(kept: ReadonlySet<string>): void
}

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
        makeFolder(path)
        for (const file of mount.files) {
          const full = join(path, inside(file.path))
          makeFolder(dirname(full))
          writeFileSync(full, file.data, { mode: 0o600 })
          chmodSync(full, file.mode & 0o777)
        }
        return path
      })
      return { name: basename(folder), paths }
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

/** Open to whatever user the image runs as: the folder above is what keeps others of this host out. */
function makeFolder(path: string): void {
  if (existsSync(path)) return
  makeFolder(dirname(path))
  mkdirSync(path)
  chmodSync(path, 0o755)
}

function inside(path: string): string {
  const normal = normalize(path)
  if (!normal.startsWith('..') && !normal.startsWith('/')) return normal
  throw new CloudError('INVALID_ARGUMENT', `The path "${path}" leaves its mount.`, 'Use a path below it.')
}
