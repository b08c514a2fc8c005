import { DatabaseSync } from 'node:sqlite'
import { chmodSync, copyFileSync, existsSync, mkdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { syncDirectory, syncFile } from '../base/write-whole.ts'
import { newestGoodBackup, type Backup } from './backups.ts'
import { databasePath } from './database-file.ts'
import { knownByDatabase } from './open-database.ts'
import { openMeta } from './meta.ts'

/**
 * Moves an unusable database to `lost`, and puts the newest good backup in its place. Without a good backup, all data that only the lost database knew
 * moves to `lost` too, and the next start begins with an empty state. Deletes nothing.
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

/** Whether the database is an older copy of the one with which its directory was last used. */
export function isBehind(db: DatabaseSync, openedByDirectory: number): boolean {
  const meta = openMeta(db)
  return meta.get('isCopy') !== undefined || meta.get('isBehind') !== undefined || Number(meta.get('opened') ?? 0) < openedByDirectory
}

/** Marks the database as the one of its directory, so that it may remove unknown files. Call within a transaction, when the directory has no unknown files. */
export function declareCurrent(db: DatabaseSync, openedByDirectory: number): void {
  const meta = openMeta(db)
  meta.delete('isCopy')
  meta.delete('isBehind')
  meta.set('opened', String(Math.max(Number(meta.get('opened') ?? 0), openedByDirectory)))
}
