import { accessSync, constants, existsSync, statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import { CloudError, messageOf } from './cloud-error.ts'

/** Primary result codes of SQLite: sqlite.org/rescode.html. */
const sqlite = { readOnly: 8, inputOutput: 10, full: 13 } as const
/** With less than this SQLite cannot even delete, nor can a daemon write why it does not start. */
const leastBytes = 256 << 10

/** What `error` says of the disk of the state directory, as the CloudError to tell; undefined when it is about something else. */
export function diskFault(error: unknown, directory: string): CloudError | undefined {
  if (!(error instanceof Error) || error instanceof CloudError) return undefined
  const { code, errcode } = error as NodeJS.ErrnoException & { readonly errcode?: number }
  const primary = errcode === undefined ? undefined : errcode & 0xff
  if (code === 'ENOSPC' || code === 'EDQUOT' || primary === sqlite.full) return fullDisk(directory, error)
  if (code === 'EROFS' || primary === sqlite.readOnly) return readOnlyDisk(directory, error)
  return primary === sqlite.inputOutput && isFull(directory) ? fullDisk(directory, error) : undefined
}

/** Why a folder cannot be made or written, found by asking for the nearest that exists: mkdir alone says "no such file" on a read-only disk. */
export function whyUnwritable(directory: string): CloudError | undefined {
  let nearest = directory
  while (!existsSync(nearest) && dirname(nearest) !== nearest) nearest = dirname(nearest)
  try {
    accessSync(nearest, constants.W_OK)
  } catch (error) {
    return diskFault(error, directory)
  }
  return isFull(nearest) ? fullDisk(directory, new Error('no space left')) : undefined
}

function isFull(directory: string): boolean {
  const { bavail, bsize } = statfsSync(directory)
  return bavail * bsize < leastBytes
}

function fullDisk(directory: string, cause: Error): CloudError {
  return new CloudError('RESOURCE_EXHAUSTED', `The disk of ${directory} is full.`, 'Free space there, then: devcloud up', {
    cause,
    fault: 'STATE_UNWRITABLE',
    evidence: [messageOf(cause)],
  })
}

function readOnlyDisk(directory: string, cause: Error): CloudError {
  return new CloudError(
    'FAILED_PRECONDITION',
    `The disk of ${directory} is read-only.`,
    'Make it writable, or set DEVCLOUD_STATE_DIR to a folder that is; then: devcloud up',
    { cause, fault: 'STATE_UNUSABLE', evidence: [messageOf(cause)] },
  )
}
