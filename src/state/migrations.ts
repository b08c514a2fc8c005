import type { DatabaseSync } from 'node:sqlite'

/**
 * One step of the database's schema. Each room declares its steps; the daemon puts all steps into one order for `openState`. A step that has landed is never
 * changed, moved or removed: a change of the schema is a new step at the end. The schema number is the count of steps that have run.
 */
export interface Migration {
  /** What the step makes or changes, for the log: `tables of objects`. */
  readonly name: string
  /** Runs within the transaction of all steps that are due. */
  readonly run: (db: DatabaseSync) => void
}

/** The tables of the state room, before every other step. Databases from before schema numbers have these tables. */
export const stateTables: Migration = {
  name: 'tables of the state',
  run: (db) =>
    db.exec(`CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID, STRICT;
      CREATE TABLE IF NOT EXISTS resources (kind TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (kind, name)) WITHOUT ROWID, STRICT`),
}

/** How many steps have run: 0 in a new database, and in databases from before schema numbers. */
export function schemaOf(db: DatabaseSync): number {
  return Number(db.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0)
}

/** Runs the steps that are due, within the caller's transaction. */
export function migrate(db: DatabaseSync, migrations: readonly Migration[]): void {
  for (const { run } of migrations.slice(schemaOf(db))) run(db)
  db.exec(`PRAGMA user_version = ${migrations.length}`)
}
