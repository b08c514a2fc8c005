import { boundsBelow, type Belongings } from './belongings.ts'
import type { State } from './state.ts'

interface CollectionRow {
  readonly name: string
  readonly value: string
}

/** Texts of one kind by name: what is kept beside resources, such as a port or the key of a revision's template. `Resources` has types. */
export interface Collection extends Belongings {
  get(name: string): string | undefined
  /** Those below `parent`, `PARENT/...`, or all for an empty one, in the order of their names. */
  list(parent: string): readonly CollectionRow[]
  /** The same one by one, behind the name `after`. Walk through them within one turn of the event loop. */
  each(parent: string, after?: string): Iterable<CollectionRow>
  /** Inserts or replaces. Durable when resolved. */
  put(name: string, value: string): Promise<void>
  /** Durable when resolved; false when there was none. */
  delete(name: string): Promise<boolean>
  /** Deletes all below `parent`. Durable when resolved. */
  deleteBelow(parent: string): Promise<void>
  /** As `delete`, within the caller's `state.write`. */
  remove(name: string): boolean
  /** Removes all below `parent`, within the caller's `state.write`. */
  removeBelow(parent: string): void
}

/** The collection of `kind` in the table `resources`, which all kinds share. */
export function openCollection(state: State, kind: string): Collection {
  const get = state.db.prepare('SELECT value FROM resources WHERE kind = ? AND name = ?')
  const range = state.db.prepare('SELECT name, value FROM resources WHERE kind = ? AND name > ? AND name >= ? AND name < ? ORDER BY name')
  const put = state.db.prepare('INSERT INTO resources VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value')
  const remove = state.db.prepare('DELETE FROM resources WHERE kind = ? AND name = ?')
  const removeRange = state.db.prepare('DELETE FROM resources WHERE kind = ? AND name >= ? AND name < ?')
  const removeOne = (name: string) => remove.run(kind, name).changes > 0
  const removeBelow = (parent: string) => void removeRange.run(kind, ...boundsBelow(parent))
  return {
    get: (name) => get.get(kind, name)?.['value'] as string | undefined,
    list: (parent) => range.all(kind, '', ...boundsBelow(parent)).map(toRow),
    each: (parent, after = '') => range.iterate(kind, after, ...boundsBelow(parent)).map(toRow),
    put: (name, value) => state.write(() => void put.run(kind, name, value)),
    delete: (name) => state.write(() => removeOne(name)),
    deleteBelow: (parent) => state.write(() => removeBelow(parent)),
    remove: removeOne,
    removeBelow,
    removeWith(name) {
      removeOne(name)
      removeBelow(name)
    },
  }
}

function toRow(row: Readonly<Record<string, unknown>>): CollectionRow {
  return { name: row['name'] as string, value: row['value'] as string }
}

/** Deletes `name` and all below it, `name/...`, from every collection: what is left of a resource whose rows nobody reads any more. */
export async function deleteEverywhere(state: State, name: string): Promise<void> {
  await state.write((db) => db.prepare('DELETE FROM resources WHERE name = ? OR (name >= ? AND name < ?)').run(name, ...boundsBelow(name)))
}

/** The ids in `projects/ID/...` of the collection's rows. */
export function projectsIn(rows: Collection): readonly string[] {
  return [...new Set(Array.from(rows.each('projects'), ({ name }) => name.split('/')[1] ?? ''))]
}
