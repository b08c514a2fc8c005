import { accessSync, constants } from 'node:fs'
import { CloudError, messageOf } from './cloud-error.ts'
import { diskSpace, fewFiles, nearestFolder, toSize } from './disk-space.ts'

/** Primary result codes of SQLite: sqlite.org/rescode.html. */
const sqlite = { readOnly: 8, inputOutput: 10, full: 13 } as const
/** With less free space SQLite cannot delete a row, and a daemon cannot write why it does not start. */
const leastBytes = 256 << 10

/**
 * Translates `error` into a CloudError when the disk of `directory` is the cause: DISK_FULL, DISK_FAILED for a device that gives errors,
 * STATE_UNUSABLE for a read-only file system. Gives undefined for an error of another cause.
 */
export function diskFault(error: unknown, directory: string): CloudError | undefined {
  if (!(error instanceof Error) || error instanceof CloudError) return undefined
  const { code, errcode } = error as NodeJS.ErrnoException & { readonly errcode?: number }
  const primary = errcode === undefined ? undefined : errcode & 0xff
  if (code === 'ENOSPC' || code === 'EDQUOT' || primary === sqlite.full) return fullDisk(directory, error)
  if (code === 'EROFS' || primary === sqlite.readOnly) return readOnlyDisk(directory, error)
  if (primary === sqlite.inputOutput && isFull(directory)) return fullDisk(directory, error)
  return code === 'EIO' || primary === sqlite.inputOutput ? failedDisk(directory, error) : undefined
}

/** Why a folder cannot be made or written. mkdir itself says "no such file" on a read-only disk. */
export function whyUnwritable(directory: string): CloudError | undefined {
  try {
    accessSync(nearestFolder(directory), constants.W_OK)
  } catch (error) {
    return diskFault(error, directory)
  }
  return isFull(directory) ? fullDisk(directory, new Error('no space left')) : undefined
}

/** @param neededBytes size of what could not be stored, when the size is known @param keptBytes share of the free space that deletes need */
export function fullDisk(directory: string, cause?: unknown, neededBytes?: number, keptBytes = 0): CloudError {
  const { freeBytes: leftBytes, freeFiles } = diskSpace(directory)
  const freeBytes = Math.max(0, leftBytes - keptBytes)
  const free =
    freeFiles < fewFiles
      ? `it has ${freeFiles} inodes left, each file takes one`
      : neededBytes === undefined
        ? `${toSize(freeBytes)} are free`
        : `${toSize(neededBytes)} are needed, ${toSize(freeBytes)} are free`
  return new CloudError(
    'RESOURCE_EXHAUSTED',
    `The disk of ${directory} is full: ${free}.`,
    freeFiles < fewFiles ? 'Delete files there, then try again.' : 'Free space there, or devcloud clean; then try again.',
    { cause, fault: 'DISK_FULL', ...(cause !== undefined && { evidence: [messageOf(cause)] }) },
  )
}

function isFull(directory: string): boolean {
  return diskSpace(directory).freeBytes < leastBytes
}

function readOnlyDisk(directory: string, cause: Error): CloudError {
  return new CloudError(
    'FAILED_PRECONDITION',
    `The disk of ${directory} is read-only.`,
    'Make it writable, or set DEVCLOUD_STATE_DIR to a folder that is; then: devcloud up',
    { cause, fault: 'STATE_UNUSABLE', evidence: [messageOf(cause)] },
  )
}

/** After a failed sync nobody knows what the disk holds. The daemon writes nothing more; the next daemon reads the disk again. */
function failedDisk(directory: string, cause: Error): CloudError {
  return new CloudError(
    'FAILED_PRECONDITION',
    `The disk of ${directory} gave an error: ${messageOf(cause)}. Nothing more is written, reads go on.`,
    'Look at the disk, then: devcloud daemon stop && devcloud fsck',
    { cause, fault: 'DISK_FAILED', evidence: [messageOf(cause)] },
  )
}
