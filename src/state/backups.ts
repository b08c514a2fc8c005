import { DatabaseSync } from 'node:sqlite'
import { closeSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { syncDirectory, syncFile } from '../base/write-whole.ts'
import { isWhole } from './is-whole.ts'

/** A copy of the whole database in `backups/` of the state directory. */
export interface Backup {
  readonly path: string
  readonly takenMs: number
  readonly sizeBytes: number
}

const keptBackups = 3

/**
 * Copies the database, synced, and removes the oldest copies. A copy is marked as a copy, so that a daemon that starts on it removes no files.
 * Call outside a transaction.
 */
export function takeBackup(db: DatabaseSync, directory: string, nowMs: number): Backup {
  const folder = join(directory, 'backups')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const path = freeName(folder, new Date(nowMs).toISOString().replaceAll(/[-:]/g, '').slice(0, 15))
  const part = `${path}.part`
  rmSync(part, { force: true })
  try {
    closeSync(openSync(part, 'wx', 0o600))
    db.exec(`VACUUM INTO '${part.replaceAll("'", "''")}'`)
    declareCopy(part)
    syncFile(part)
    renameSync(part, path)
    syncDirectory(folder)
  } catch (error) {
    rmSync(part, { force: true })
    throw error
  }
  for (const old of listBackups(directory).slice(keptBackups)) rmSync(old.path, { force: true })
  return { path, takenMs: nowMs, sizeBytes: statSync(path).size }
}

/** The backups, newest first. */
export function listBackups(directory: string): readonly Backup[] {
  const folder = join(directory, 'backups')
  return names(folder)
    .filter((name) => name.endsWith('.db'))
    .map((name) => join(folder, name))
    .map((path) => ({ path, takenMs: statSync(path).mtimeMs, sizeBytes: statSync(path).size }))
    .toSorted((one, other) => other.takenMs - one.takenMs || (other.path > one.path ? 1 : -1))
}

/** The newest backup that can be read from end to end. */
export function newestGoodBackup(directory: string): Backup | undefined {
  return listBackups(directory).find(({ path }) => {
    try {
      using db = new DatabaseSync(path, { readOnly: true })
      return isWhole(db)
    } catch {
      return false
    }
  })
}

function declareCopy(path: string): void {
  using copy = new DatabaseSync(path)
  copy.exec(`PRAGMA synchronous = OFF; CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID, STRICT;
    INSERT INTO meta VALUES ('isCopy', 'yes') ON CONFLICT DO NOTHING`)
}

function freeName(folder: string, stamp: string): string {
  const taken = new Set(names(folder))
  for (let n = 1; ; n += 1) {
    const name = n === 1 ? `state-${stamp}.db` : `state-${stamp}-${n}.db`
    if (!taken.has(name)) return join(folder, name)
  }
}

function names(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
