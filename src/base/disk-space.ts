import { existsSync, statfsSync } from 'node:fs'
import { dirname } from 'node:path'

/** The free space that a disk has for this process. */
export interface DiskSpace {
  readonly freeBytes: number
  readonly totalBytes: number
  /** How many more files the disk takes; Infinity where the file system has no limit. */
  readonly freeFiles: number
}

/** A disk that takes fewer files than this counts as full: SQLite and a daemon that starts need a few files. */
export const fewFiles = 32

/** Space on the disk of `path`, or of the nearest existing folder above `path`. Root's share includes the blocks that a file system reserves for root. */
export function diskSpace(path: string): DiskSpace {
  const { bsize, blocks, bfree, bavail, files, ffree } = statfsSync(nearestFolder(path))
  const free = process.getuid?.() === 0 ? bfree : bavail
  return { freeBytes: free * bsize, totalBytes: blocks * bsize, freeFiles: files === 0 ? Infinity : ffree }
}

/** `path`, or the nearest folder above it that exists. */
export function nearestFolder(path: string): string {
  let nearest = path
  while (!existsSync(nearest) && dirname(nearest) !== nearest) nearest = dirname(nearest)
  return nearest
}

/** A size for people: `3.4 MiB`. */
export function toSize(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = Math.min(bytes < 1 ? 0 : Math.floor(Math.log2(bytes) / 10), units.length - 1)
  const value = bytes / 2 ** (10 * power)
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[power]}`
}
