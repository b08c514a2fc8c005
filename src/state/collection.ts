import type { State } from './state.ts'

/** Resources of one kind by full name: `projects/p/secrets/s`. Values are JSON text of the caller's own making. */
export interface Collection {
  get(name: string): string | undefined
  /** Ordered by name, those under `prefix`, after the name `after`, at most `limit`. */
  list(prefix: string, after?: string, limit?: number): readonly { readonly name: string; readonly value: string }[]
  count(prefix: string): number
  /** Inserts or replaces. Durable when resolved. */
  put(name: string, value: string): Promise<void>
  /** Durable when resolved; false when there was none. */
  delete(name: string): Promise<boolean>
  /** Deletes all under `prefix`. Durable when resolved. */
  deleteAll(prefix: string): Promise<void>
}

/** The collection of `kind` in the table `resources`, which all kinds share. Several writes at once: `state.write` around `putRow`. */
export function openCollection(state: State, kind: string): Collection {
  const get = state.db.prepare('SELECT value FROM resources WHERE kind = ? AND name = ?')
  const list = state.db.prepare(
    'SELECT name, value FROM resources WHERE kind = ? AND name > ? AND name >= ? AND name < ? ORDER BY name LIMIT ?',
  )
  const count = state.db.prepare('SELECT count(*) AS n FROM resources WHERE kind = ? AND name >= ? AND name < ?')
  const put = state.db.prepare('INSERT INTO resources VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value')
  const remove = state.db.prepare('DELETE FROM resources WHERE kind = ? AND name = ?')
  const removeAll = state.db.prepare('DELETE FROM resources WHERE kind = ? AND name >= ? AND name < ?')
  return {
    get: (name) => get.get(kind, name)?.['value'] as string | undefined,
    list: (prefix, after = '', limit = -1) =>
      list
        .all(kind, after, prefix, `${prefix}\u{10ffff}`, limit)
        .map((row) => ({ name: row['name'] as string, value: row['value'] as string })),
    count: (prefix) => Number(count.get(kind, prefix, `${prefix}\u{10ffff}`)?.['n'] ?? 0),
    put: (name, value) => state.write(() => void put.run(kind, name, value)),
    delete: (name) => state.write(() => remove.run(kind, name).changes > 0),
    deleteAll: (prefix) => state.write(() => void removeAll.run(kind, prefix, `${prefix}\u{10ffff}`)),
  }
}

/** Deletes `name` and all below it, `name/...`, from every collection: what is left of a resource whose rows nobody reads any more. */
export async function deleteEverywhere(state: State, name: string): Promise<void> {
  await state.write((db) =>
    db.prepare('DELETE FROM resources WHERE name = ? OR (name >= ? AND name < ?)').run(name, `${name}/`, `${name}/\u{10ffff}`),
  )
}

/** The ids in `projects/ID/...` of the collection's rows. */
export function projectsIn(rows: Collection): readonly string[] {
  return [...new Set(rows.list('projects/').map(({ name }) => name.split('/')[1] ?? ''))]
}
