import type { DatabaseSync } from 'node:sqlite'

/** SQLite checks some 600 MB a second; larger databases would make the daemon's start slow. */
const wholeCheckBytes = 128 << 20

/** The tables that every room needs. They are checked whatever the size of the database. */
const always = ['meta', 'resources']

/** Whether every page that SQLite finds is in order. Of a database above `limitBytes` only the tables that every room needs are read. */
export function isWhole(db: DatabaseSync, limitBytes = Infinity): boolean {
  if (sizeOf(db) <= limitBytes) return isOk(db, 'PRAGMA quick_check(1)')
  return always.every((table) => isOk(db, `PRAGMA quick_check('${table}')`))
}

/** Like `isWhole`, in a time that does not grow with the database. */
export function looksWhole(db: DatabaseSync): boolean {
  return isWhole(db, wholeCheckBytes)
}

function isOk(db: DatabaseSync, check: string): boolean {
  return db.prepare(check).get()?.['quick_check'] === 'ok'
}

function sizeOf(db: DatabaseSync): number {
  const pragma = (name: string) => Number(db.prepare(`PRAGMA ${name}`).get()?.[name] ?? 0)
  return pragma('page_count') * pragma('page_size')
}
