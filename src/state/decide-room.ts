import { fewFiles } from '../base/disk-space.ts'

export interface Room {
  readonly freeBytes: number
  readonly freeFiles: number
  /** What the ballast should weigh on this disk. */
  readonly ballastBytes: number
  /** Whether the disk counts as full already. */
  readonly isScarce: boolean
}

/** As many files as a start and a few deletes may need on a disk without free inodes. */
export const ballastFiles = 16
const leastFiles = 4

/** Enough for SQLite's log between two checkpoints; less on a small disk. */
export function ballastBytesFor(totalBytes: number): number {
  return Math.max(256 << 10, Math.min(4 << 20, Math.floor(totalBytes / 8)))
}

/** Room that must be left by what is added, so that small writes never meet a full disk. */
export function leastBytesFor(ballastBytes: number): number {
  return Math.floor(ballastBytes / 4)
}

/** Whether a disk is to count as full. Once it does, it must have room for the ballast and more: else each freed page would turn the answer. */
export function isScarceNow({ freeBytes, freeFiles, ballastBytes, isScarce }: Room): boolean {
  if (isScarce) return freeBytes < ballastBytes * 1.5 || freeFiles < fewFiles
  return freeBytes < leastBytesFor(ballastBytes) || freeFiles < leastFiles
}
