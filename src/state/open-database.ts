import { randomUUID } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { chmodSync, closeSync, openSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../base/clock.ts'
import { version } from '../base/version.ts'
import { takeBackup } from './backups.ts'
import { databasePath, readDatabaseFile, readWriter } from './database-file.ts'
import { looksWhole } from './is-whole.ts'
import { openMeta } from './meta.ts'
import { migrate, schemaOf, type Migration } from './migrations.ts'
import { damaged, newer, unknown } from './state-faults.ts'
import { readMark, writeMark, type StateMark } from './state-mark.ts'

export interface OpenDatabase {
  readonly db: DatabaseSync
  /** False when the database is an older copy of the one that the directory was last used with. */
  readonly knowsDirectory: boolean
}

/** Checks, locks and migrates the database of `directory`, in this order: what is refused is left as it is. @throws as `openState` does */
export function openDatabase(directory: string, migrations: readonly Migration[], clock: Clock): OpenDatabase {
  const mark = readMark(directory)
  const file = readDatabaseFile(directory)
  if (file.kind === 'foreign') throw damaged(directory, 'it is no SQLite database')
  if (file.kind === 'empty') refuseStrangers(directory, mark)
  else if (file.schema > migrations.length) throw newer(directory, file.schema, migrations.length, readWriter(directory) ?? mark?.version)
  const path = databasePath(directory)
  closeSync(openSync(path, 'a', 0o600)) // SQLite gives its write-ahead log the same mode
  chmodSync(path, 0o600)
  const db = new DatabaseSync(path, { timeout: 0 })
  try {
    db.exec('PRAGMA locking_mode = EXCLUSIVE')
    if (!looksWhole(db)) throw damaged(directory, 'its pages do not fit together')
    const isNew = db.prepare('SELECT count(*) AS tables FROM sqlite_schema').get()?.['tables'] === 0
    if (isNew) refuseStrangers(directory, mark)
    const schema = schemaOf(db)
    if (schema > migrations.length) throw newer(directory, schema, migrations.length, mark?.version)
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON')
    if (schema < migrations.length && !isNew) takeBackup(db, directory, clock.nowMs())
    const next = moveIn(db, directory, migrations, mark)
    writeMark(directory, next.mark)
    return { db, knowsDirectory: next.knowsDirectory }
  } catch (error) {
    db.close()
    throw error
  }
}

/** Runs the steps that are due, and writes down which database this is, all in one transaction. */
function moveIn(db: DatabaseSync, directory: string, migrations: readonly Migration[], mark: StateMark | undefined) {
  db.exec('BEGIN IMMEDIATE')
  try {
    migrate(db, migrations)
    const meta = openMeta(db)
    const id = meta.get('id') ?? mark?.id ?? randomUUID()
    if (mark !== undefined && mark.id !== id) throw unknown(directory, [`they belong to the database ${mark.id}, and this one is ${id}`])
    const openedBefore = Number(meta.get('opened') ?? 0)
    if (meta.get('isCopy') !== undefined || (mark !== undefined && openedBefore < mark.opened)) meta.set('isBehind', 'yes')
    meta.delete('isCopy')
    const opened = Math.max(openedBefore, mark?.opened ?? 0) + 1
    for (const [key, value] of Object.entries({ id, opened: String(opened), version: version() })) meta.set(key, value)
    db.exec('COMMIT')
    return {
      mark: { id, opened, schema: migrations.length, version: version() },
      knowsDirectory: meta.get('isBehind') === undefined,
    }
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}

/** @throws CloudError STATE_UNKNOWN when a database that is gone or was emptied has left things in `directory` */
function refuseStrangers(directory: string, mark: StateMark | undefined): void {
  const found = entriesOf(directory, 'objects').length
  const left = [
    ...(mark === undefined ? [] : [`a database that devcloud ${mark.version} opened ${mark.opened} times is gone`]),
    ...(found === 0 ? [] : [`${found} files in ${join(directory, 'objects')}`]),
    ...entriesOf(directory, 'postgres').map((name) => join(directory, 'postgres', name)),
  ]
  if (left.length > 0) throw unknown(directory, left)
}

function entriesOf(directory: string, folder: string): readonly string[] {
  try {
    return readdirSync(join(directory, folder))
  } catch {
    return []
  }
}
