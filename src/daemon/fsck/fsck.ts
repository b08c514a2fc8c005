import type { DatabaseSync } from 'node:sqlite'
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock, type Clock } from '../../base/clock.ts'
import { CloudError } from '../../base/cloud-error.ts'
import { checkObjects, type ObjectFault } from '../../objects/check-objects.ts'
import { repairObjects } from '../../objects/repair-objects.ts'
import { listBackups, newestGoodBackup, type Backup } from '../../state/backups.ts'
import { readDatabaseFile } from '../../state/database-file.ts'
import { isWhole } from '../../state/is-whole.ts'
import { openChecked, refuseStrangers } from '../../state/open-database.ts'
import { readMark } from '../../state/state-mark.ts'
import { declareCurrent, isBehind, restoreDatabase } from '../../state/restore.ts'
import { schema } from '../schema.ts'
import { checkRows, type RowFault } from './check-rows.ts'
import { resourceKinds } from './resource-kinds.ts'

interface FsckFault {
  /** `database`, `row`, `object`, `orphan`, `upload`, `count` */
  readonly kind: string
  readonly what: string
  readonly why: string
  /** What --repair does, or did. */
  readonly repair: string
}

export interface FsckReport {
  readonly directory: string
  readonly faults: readonly FsckFault[]
  readonly backups: readonly Backup[]
  readonly isRepaired: boolean
  /** Where a repair moved what it took out; undefined when nothing was. */
  readonly lost?: string
}

/** The house's steps, and the state room's own. */
const knownSchemas = schema.length + 1
/** Faults of a database that a backup mends. */
const mendedByBackup = ['STATE_DAMAGED', 'STATE_UNKNOWN']

/**
 * Checks a state directory without a daemon. Nothing is changed without `repair`; a repair deletes nothing: what it takes out is in
 * `lost/`, files as they were and rows as JSON.
 * @throws CloudError STATE_LOCKED while a daemon runs on it, STATE_NEWER
 */
export async function fsck(directory: string, repair: boolean, clock: Clock = systemClock): Promise<FsckReport> {
  const lost = join(directory, 'lost', new Date(clock.nowMs()).toISOString().replaceAll(/[-:]/g, '').slice(0, 15))
  const faults: FsckFault[] = []
  const opened = openOrTell(directory)
  if (opened instanceof CloudError) {
    faults.push(toDatabaseFault(opened, newestGoodBackup(directory)))
    if (repair) restoreDatabase(directory, lost)
  }
  const checked = opened instanceof CloudError && repair ? openOrTell(directory) : opened
  if (checked !== undefined && !(checked instanceof CloudError)) {
    const { db, openedByDirectory } = checked
    try {
      faults.push(...(await checkAll(db, directory, openedByDirectory, repair ? lost : undefined)))
    } finally {
      db.close()
    }
  }
  const isRepaired = repair && faults.length > 0
  return { directory, faults, backups: listBackups(directory), isRepaired, ...(existsSync(lost) && { lost }) }
}

async function checkAll(
  db: DatabaseSync,
  directory: string,
  openedByDirectory: number,
  lost: string | undefined,
): Promise<readonly FsckFault[]> {
  const rows = checkRows(db, resourceKinds)
  const objects = await checkObjects(db, directory)
  const behind = isBehind(db, openedByDirectory)
  if (lost !== undefined) mend(db, directory, openedByDirectory, lost, rows, objects)
  return [
    ...(behind ? [olderCopy()] : []),
    ...rows.map(({ kind, name, why }) => ({ kind: 'row', what: `${kind} ${name}`, why, repair: 'the row moves to lost/' })),
    ...objects.map(toFault),
  ]
}

/** All rows in one transaction; files move after it. */
function mend(
  db: DatabaseSync,
  directory: string,
  openedByDirectory: number,
  lost: string,
  rows: readonly RowFault[],
  objects: readonly ObjectFault[],
): void {
  const kept: string[] = []
  const keepRow = (table: string, row: object) => void kept.push(JSON.stringify({ table, row }, bytesAsBase64))
  db.exec('PRAGMA synchronous = FULL; BEGIN IMMEDIATE')
  for (const { kind, name } of rows) {
    const row = db.prepare('DELETE FROM resources WHERE kind = ? AND name = ? RETURNING *').get(kind, name)
    if (row !== undefined) keepRow('resources', row)
  }
  const moveFiles = repairObjects(db, directory, lost, objects, keepRow)
  declareCurrent(db, openedByDirectory)
  if (kept.length > 0) writeLines(lost, kept)
  db.exec('COMMIT')
  moveFiles()
}

/** The database, or the fault of it that a backup mends; undefined where there is none yet. */
function openOrTell(directory: string): { readonly db: DatabaseSync; readonly openedByDirectory: number } | CloudError | undefined {
  try {
    const mark = readMark(directory)
    if (readDatabaseFile(directory).kind === 'empty') {
      refuseStrangers(directory, mark)
      return undefined
    }
    const { db, isNew } = openChecked(directory, knownSchemas, isWhole)
    if (!isNew) return { db, openedByDirectory: mark?.opened ?? 0 }
    db.close()
    return undefined
  } catch (error) {
    if (error instanceof CloudError && mendedByBackup.includes(error.fault ?? '')) return error
    throw error
  }
}

function toDatabaseFault(error: CloudError, backup: Backup | undefined): FsckFault {
  const repair =
    backup === undefined
      ? 'there is no good backup: all that it knew moves to lost/, and the next start begins anew'
      : `it moves to lost/, and the backup of ${new Date(backup.takenMs).toISOString()} takes its place`
  return { kind: 'database', what: 'state.db', why: [error.message, ...error.evidence].join(' '), repair }
}

function olderCopy(): FsckFault {
  return {
    kind: 'database',
    what: 'state.db',
    why: 'it is an older copy of the database that this directory was last used with, so nothing is swept',
    repair: 'what it does not know moves to lost/, and it counts as current',
  }
}

function toFault(fault: ObjectFault): FsckFault {
  const { kind, why } = fault
  switch (fault.kind) {
    case 'object': {
      const { bucket, name, generation } = fault.object
      return { kind, what: `gs://${bucket}/${name}#${generation}`, why, repair: 'its row and what is left of its bytes move to lost/' }
    }
    case 'orphan':
      return { kind, what: join('objects', fault.file), why, repair: 'it moves to lost/' }
    case 'upload':
      return { kind, what: `upload of ${fault.name}`, why, repair: 'it moves to lost/: start the upload anew' }
    case 'count':
      return { kind, what: `bytes ${fault.blob}`, why, repair: 'the number is set right' }
  }
}

function writeLines(lost: string, lines: readonly string[]): void {
  mkdirSync(lost, { recursive: true, mode: 0o700 })
  const file = openSync(join(lost, 'rows.jsonl'), 'a', 0o600)
  try {
    writeSync(file, lines.map((line) => `${line}\n`).join(''))
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

function bytesAsBase64(_key: string, value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value
}
