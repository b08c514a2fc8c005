import { DatabaseSync } from 'node:sqlite'
import { chmodSync, copyFileSync, existsSync, mkdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { syncDirectory, syncFile } from '../base/write-whole.ts'
import { newestGoodBackup, type Backup } from './backups.ts'
import { databasePath } from './database-file.ts'
import { knownByDatabase } from './open-database.ts'
import { openMeta } from './meta.ts'

/**
 * Moves a database that cannot be used to `lost`, and puts the newest good backup in its place. Where there is none, all that only the
 * lost database knew moves with it, and the next start begins anew. Nothing is deleted.
 */
export function restoreDatabase(directory: string, lost: string): Backup | undefined {
  const backup = newestGoodBackup(directory)
  mkdirSync(lost, { recursive: true, mode: 0o700 })
  const database = databasePath(directory)
  const next = `${database}.new`
  if (backup !== undefined) {
    copyFileSync(backup.path, next)
    chmodSync(next, 0o600)
    syncFile(next)
  }
  const parts = ['state.db-wal', 'state.db-shm', ...(backup === undefined ? ['state.json', ...knownByDatabase] : []), 'state.db']
  for (const name of parts) if (existsSync(join(directory, name))) renameSync(join(directory, name), join(lost, name))
  if (backup !== undefined) renameSync(next, database)
  syncDirectory(lost)
  syncDirectory(directory)
  return backup
}

/** Whether the database is an older copy of the one that its directory was last used with. */
export function isBehind(db: DatabaseSync, openedByDirectory: number): boolean {
  const meta = openMeta(db)
  return meta.get('isCopy') !== undefined || meta.get('isBehind') !== undefined || Number(meta.get('opened') ?? 0) < openedByDirectory
}

/** Within a transaction, once nothing in the directory is unknown to the database: from now on it may sweep. */
export function declareCurrent(db: DatabaseSync, openedByDirectory: number): void {
  const meta = openMeta(db)
  meta.delete('isCopy')
  meta.delete('isBehind')
  meta.set('opened', String(Math.max(Number(meta.get('opened') ?? 0), openedByDirectory)))
}
