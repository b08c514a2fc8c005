import type { State } from './state.ts'

/** What goes when the resource goes that it belongs to: resources below it, and rows of its name. */
export interface Belongings {
  /** Removes what has this name, or stands below it: `NAME/...`. Call it within `state.write`. */
  removeWith(name: string): void
}

/** The rows of a table of its own, such as a secret's versions. @param column has the full name of the resource that a row belongs to */
export function belongingRows(state: State, table: string, column: string): Belongings {
  const remove = state.db.prepare(`DELETE FROM ${table} WHERE ${column} = ? OR (${column} >= ? AND ${column} < ?)`)
  return { removeWith: (name) => void remove.run(name, ...boundsBelow(name)) }
}

/** The first name below `name`, and the first one after all of them; every name is below the empty one. */
export function boundsBelow(name: string): readonly [from: string, to: string] {
  const from = name === '' ? '' : `${name}/`
  return [from, `${from}\u{10ffff}`]
}
