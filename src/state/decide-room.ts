import { fewFiles } from '../base/disk-space.ts'

export interface Room {
  readonly freeBytes: number
  readonly freeFiles: number
  /** How many bytes the ballast should have on this disk. */
  readonly ballastBytes: number
  /** Whether the disk counts as full already. */
  readonly isScarce: boolean
}

/** How many files the ballast has: what a start and a few deletes need on a disk without free inodes. */
export const ballastFiles = 16
const leastFiles = 4

/** The size of the ballast: enough for SQLite's log between two checkpoints, and less on a small disk. */
export function ballastBytesFor(totalBytes: number): number {
  return Math.max(256 << 10, Math.min(4 << 20, Math.floor(totalBytes / 8)))
}

/** The room that an added object must leave, so that small writes never meet a full disk. */
export function leastBytesFor(ballastBytes: number): number {
  return Math.floor(ballastBytes / 4)
}

/** Whether a disk counts as full. A full disk counts as full until it has room for the ballast and more: otherwise each freed page would change the answer. */
export function isScarceNow({ freeBytes, freeFiles, ballastBytes, isScarce }: Room): boolean {
  if (isScarce) return freeBytes < ballastBytes * 1.5 || freeFiles < fewFiles
  return freeBytes < leastBytesFor(ballastBytes) || freeFiles < leastFiles
}
