import { join } from 'node:path'
import { CloudError, messageOf } from '../base/cloud-error.ts'
import { diskFault } from '../base/disk-fault.ts'
import { lockOwner } from '../base/owners.ts'
import { version } from '../base/version.ts'
import { newestGoodBackup } from './backups.ts'

/** Why the database of `directory` could not be opened. */
export function unusable(directory: string, error: unknown): CloudError {
  if (error instanceof CloudError) return error
  const words = messageOf(error)
  if (words.includes('locked')) return locked(directory, error)
  if (isDamage(error)) return damaged(directory, words, error)
  const disk = diskFault(error, directory)
  if (disk !== undefined) return disk
  return new CloudError(
    'FAILED_PRECONDITION',
    `The state directory ${directory} cannot be used: ${words}.`,
    'Make it writable for you, or set DEVCLOUD_STATE_DIR to a folder that is.',
    { cause: error, fault: 'STATE_UNUSABLE' },
  )
}

/** SQLite could not make sense of the file: SQLITE_CORRUPT and SQLITE_NOTADB of sqlite.org/rescode.html. */
function isDamage(error: unknown): boolean {
  const { errcode } = error as { readonly errcode?: number }
  return errcode !== undefined && [11, 26].includes(errcode & 0xff)
}

export function damaged(directory: string, why: string, cause?: unknown): CloudError {
  const backup = newestGoodBackup(directory)
  return new CloudError(
    'DATA_LOSS',
    `The database ${join(directory, 'state.db')} is damaged: ${why}. It was left as it is.`,
    backup === undefined ? 'devcloud fsck' : 'devcloud fsck, then devcloud fsck --repair to go on with that backup',
    {
      cause,
      fault: 'STATE_DAMAGED',
      evidence: [
        backup === undefined
          ? 'there is no good backup'
          : `newest good backup: ${backup.path} of ${new Date(backup.takenMs).toISOString()}`,
      ],
    },
  )
}

/** @param writer the version of devcloud that wrote the database; undefined where the version cannot be read */
export function newer(directory: string, schema: number, known: number, writer: string | undefined): CloudError {
  return new CloudError(
    'FAILED_PRECONDITION',
    `The state in ${directory} was written by ${writer === undefined ? 'a newer devcloud' : `devcloud ${writer}`}, with schema ${schema}; this is devcloud ${version()}, which knows schemas up to ${known}. Nothing was changed.`,
    `Use ${writer === undefined ? 'that version' : `devcloud ${writer}`} or a newer one, or set DEVCLOUD_STATE_DIR to another folder.`,
    { fault: 'STATE_NEWER' },
  )
}

/** The error for a database that is new or another one, in a directory with data of an earlier database. @param found that data */
export function unknown(directory: string, found: readonly string[]): CloudError {
  return new CloudError(
    'FAILED_PRECONDITION',
    `The database ${join(directory, 'state.db')} does not know what stands beside it. Nothing was changed.`,
    'devcloud fsck',
    { fault: 'STATE_UNKNOWN', evidence: found },
  )
}

function locked(directory: string, cause: unknown): CloudError {
  const winner = lockOwner(join(directory, 'state.db'))
  return new CloudError('FAILED_PRECONDITION', `Another devcloud daemon has ${directory} open.`, 'devcloud daemon status', {
    cause,
    fault: 'STATE_LOCKED',
    ...(winner !== undefined && { evidence: [`held by ${winner}`] }),
  })
}
