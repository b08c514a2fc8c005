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
import { damaged, newer, unknown, unusable } from './state-faults.ts'
import { readMark, writeMark, type StateMark } from './state-mark.ts'

export interface OpenDatabase {
  readonly db: DatabaseSync
  /** False when the database is an older copy of the one with which the directory was last used. */
  readonly knowsDirectory: boolean
}

/** Checks, locks and migrates the database of `directory`, in this order. A refused database is left as it is. @throws as `openState` does */
export function openDatabase(directory: string, migrations: readonly Migration[], clock: Clock): OpenDatabase {
  const { db, isNew, mark } = openChecked(directory, migrations.length, looksWhole)
  try {
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON')
    if (schemaOf(db) < migrations.length && !isNew) takeBackup(db, directory, clock.nowMs())
    const next = moveIn(db, directory, migrations, mark)
    writeMark(directory, next.mark)
    return { db, knowsDirectory: next.knowsDirectory }
  } catch (error) {
    db.close()
    throw error
  }
}

export interface CheckedDatabase {
  readonly db: DatabaseSync
  /** Whether the database is empty. */
  readonly isNew: boolean
  readonly mark: StateMark | undefined
}

/** Opens and locks the database without migrating it. @param knownSchemas how many steps are known @throws as `openState` does */
export function openChecked(directory: string, knownSchemas: number, check: (db: DatabaseSync) => boolean): CheckedDatabase {
  const mark = readMark(directory)
  const file = readDatabaseFile(directory)
  if (file.kind === 'foreign') throw damaged(directory, 'it is no SQLite database')
  if (file.kind === 'empty') refuseStrangers(directory, mark)
  else if (file.schema > knownSchemas) throw newer(directory, file.schema, knownSchemas, readWriter(directory) ?? mark?.version)
  const path = databasePath(directory)
  closeSync(openSync(path, 'a', 0o600)) // SQLite gives its write-ahead log the same mode
  chmodSync(path, 0o600)
  const db = new DatabaseSync(path, { timeout: 0 })
  try {
    db.exec('PRAGMA locking_mode = EXCLUSIVE')
    if (!check(db)) throw damaged(directory, 'its pages do not fit together')
    const isNew = db.prepare('SELECT count(*) AS tables FROM sqlite_schema').get()?.['tables'] === 0
    if (isNew) refuseStrangers(directory, mark)
    const schema = schemaOf(db)
    if (schema > knownSchemas) throw newer(directory, schema, knownSchemas, mark?.version)
    return { db, isNew, mark }
  } catch (error) {
    db.close()
    throw unusable(directory, error)
  }
}

/** Runs the steps that are due and notes the database's id, all in one transaction. */
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

/** The folders of a state directory whose content only its database knows. */
export const knownByDatabase = ['objects', 'postgres'] as const

/** @throws CloudError STATE_UNKNOWN when `directory` has data of a database that is gone or was emptied */
export function refuseStrangers(directory: string, mark: StateMark | undefined): void {
  const left = knownByDatabase
    .map((folder) => ({ path: join(directory, folder), count: entriesOf(directory, folder).length }))
    .filter(({ count }) => count > 0)
    .map(({ path, count }) => `${count} entries in ${path}`)
  if (mark !== undefined) left.unshift(`the database that devcloud ${mark.version} opened ${mark.opened} times is gone`)
  if (left.length > 0) throw unknown(directory, left)
}

function entriesOf(directory: string, folder: string): readonly string[] {
  try {
    return readdirSync(join(directory, folder))
  } catch {
    return []
  }
}
