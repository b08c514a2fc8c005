import type { DatabaseSync } from 'node:sqlite'
import { messageOf } from '../../base/cloud-error.ts'
import { readRow, type ResourceKind } from '../../state/resource-kind.ts'
import { projectKind } from '../projects.ts'

export interface RowFault {
  readonly kind: string
  readonly name: string
  readonly why: string
}

/** Those of which more is known than that their rows are text. */
type Kinds = readonly ResourceKind<unknown>[]

/** Before the kind of a row that was set aside. */
const aside = 'unreadable:'
const fullyReadRows = 4000

/** Throws for a row that cannot be read. */
type RowReader = (kind: ResourceKind<unknown>, name: string, value: string) => unknown

/**
 * Sets rows aside that cannot be read, so that one of them stops no start, status, down or clean: they stay in the table under another kind,
 * which nobody reads, until `devcloud fsck --repair`, or until a version comes that can read them. Projects are left: `status` tells of them.
 * A message takes some 50 microseconds: of more than a few thousand rows only the JSON is read, lest the start wait for it.
 * @returns what was set aside now
 */
export function setAsideUnreadable(db: DatabaseSync, kinds: Kinds): readonly RowFault[] {
  const known = byName(kinds)
  const back = db.prepare(`UPDATE OR IGNORE resources SET kind = ? WHERE kind = ? AND name = ?`)
  const faults: RowFault[] = []
  const isLarge = Number(db.prepare('SELECT count(*) AS n FROM resources').get()?.['n'] ?? 0) > fullyReadRows
  for (const fault of checkRows(db, kinds, isLarge ? readJson : readRow)) {
    if (fault.kind === projectKind.kind || fault.kind.startsWith(aside)) continue
    back.run(aside + fault.kind, fault.kind, fault.name)
    faults.push(fault)
  }
  for (const row of db.prepare('SELECT kind, name, value FROM resources WHERE kind GLOB ?').all(`${aside}*`)) {
    const { kind, name, value } = row as Record<'kind' | 'name' | 'value', string>
    if (whyUnreadable(known, kind.slice(aside.length), name, value) === undefined) back.run(kind.slice(aside.length), kind, name)
  }
  return faults
}

/** Reads every row of `resources` as the room does that wrote it. What is no resource kind is plain words, which any text is. */
export function checkRows(db: DatabaseSync, kinds: Kinds, read: RowReader = readRow): readonly RowFault[] {
  const known = byName(kinds)
  const faults: RowFault[] = []
  for (const row of db.prepare('SELECT kind, name, value FROM resources').iterate()) {
    const { kind, name, value } = row as Record<'kind' | 'name' | 'value', string>
    const why = whyUnreadable(known, kind.replace(aside, ''), name, value, read)
    if (why !== undefined) faults.push({ kind, name, why })
  }
  return faults
}

function byName(kinds: Kinds): ReadonlyMap<string, ResourceKind<unknown>> {
  return new Map(kinds.map((kind) => [kind.kind, kind]))
}

function whyUnreadable(
  kinds: ReadonlyMap<string, ResourceKind<unknown>>,
  kind: string,
  name: string,
  value: string,
  read: RowReader = readRow,
): string | undefined {
  const known = kinds.get(kind)
  try {
    if (known !== undefined) read(known, name, value)
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}

function readJson(kind: ResourceKind<unknown>, _name: string, value: string): void {
  if (kind.form !== 'json') return
  const read: unknown = JSON.parse(value)
  if (typeof read !== 'object' || read === null) throw new TypeError('it is no JSON object')
}
