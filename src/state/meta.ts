import type { DatabaseSync } from 'node:sqlite'

/** What the database says about itself, in the table `meta`. Call the changing methods within a transaction. */
export interface Meta {
  get(key: string): string | undefined
  set(key: string, value: string): void
  delete(key: string): void
}

export function openMeta(db: DatabaseSync): Meta {
  const get = db.prepare('SELECT value FROM meta WHERE key = ?')
  const set = db.prepare('INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value')
  const remove = db.prepare('DELETE FROM meta WHERE key = ?')
  return {
    get: (key) => get.get(key)?.['value'] as string | undefined,
    set: (key, value) => void set.run(key, value),
    delete: (key) => void remove.run(key),
  }
}
