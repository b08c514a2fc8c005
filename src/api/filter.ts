import type { DescMessage, MessageShape } from '@bufbuild/protobuf'
import { invalidFilter, readFilterTree, type FilterTree, type Restriction } from './filter-tree.ts'
import type { FilterField, FilterValue } from './filter-field.ts'
import { messageField } from './filter-message.ts'

/**
 * Reads a filter once, and gives a function that says whether a resource passes. Every resource passes the empty filter.
 * @param field gives the field at a path; undefined when resources have no such field
 * @throws CloudError INVALID_ARGUMENT for a malformed filter, and for a field that does not exist: such a filter is never ignored
 */
export function readFilter<T>(text: string, field: (path: readonly string[]) => FilterField<T> | undefined): (resource: T) => boolean {
  const tree = readFilterTree(text)
  return tree === undefined ? () => true : compile(tree, field)
}

/** Reads a filter over a message, by the names of its fields: `create_time` or `createTime`. */
export function readMessageFilter<T extends DescMessage>(text: string, schema: T): (resource: MessageShape<T>) => boolean {
  return readFilter(text, (path) => messageField(schema, path))
}

function compile<T>(tree: FilterTree, field: (path: readonly string[]) => FilterField<T> | undefined): (resource: T) => boolean {
  if (tree.kind === 'not') {
    const part = compile(tree.part, field)
    return (resource) => !part(resource)
  }
  if (tree.kind !== 'restriction') {
    const parts = tree.parts.map((part) => compile(part, field))
    return tree.kind === 'and' ? (resource) => parts.every((part) => part(resource)) : (resource) => parts.some((part) => part(resource))
  }
  const found = field(tree.path)
  if (found === undefined) throw invalidFilter(`"${tree.path.join('.')}" is no field that can be asked for`)
  if (tree.operator === ':' && tree.pieces.join('') === '' && tree.pieces.length > 1) return (resource) => found.values(resource).length > 0
  const holds = comparison(tree, found.kind)
  if (tree.operator === '!=') return (resource) => !found.values(resource).some((value) => holds(value))
  return (resource) => found.values(resource).some((value) => holds(value))
}

/** Whether one value holds. `!=` is read as `=` here. @throws CloudError INVALID_ARGUMENT for a value of another kind than the field's */
function comparison({ operator, pieces, words }: Restriction, kind: FilterField<unknown>['kind']): (value: FilterValue) => boolean {
  const text = pieces.join('*')
  if (kind === 'presence') {
    if (operator === ':') return (value) => value === text
    throw invalidFilter(`"${words}" compares what has no value; ask for it with :`)
  }
  if (kind === 'number' || kind === 'time') {
    const wanted = kind === 'time' ? readTime(text) : text.trim() === '' ? Number.NaN : Number(text)
    if (Number.isNaN(wanted))
      throw invalidFilter(`"${words}" wants ${kind === 'time' ? 'a time such as 2026-01-31T12:00:00Z' : 'a number'}`)
    return (value) => ordered(operator, Number(value) - wanted)
  }
  if (kind === 'boolean') {
    if ((text !== 'true' && text !== 'false') || !['=', '!=', ':'].includes(operator))
      throw invalidFilter(`"${words}" wants = true or = false`)
    return (value) => value === (text === 'true')
  }
  if (kind === 'enum') {
    if (!['=', '!=', ':'].includes(operator)) throw invalidFilter(`"${words}" compares a state; ask for it with = or :`)
    return (value) => value === text.toUpperCase()
  }
  const small = pieces.map((piece) => piece.toLowerCase())
  if (operator === ':') return (value) => holdsInOrder(String(value).toLowerCase(), small, false)
  if (operator === '=' || operator === '!=') return (value) => holdsInOrder(String(value), pieces, true)
  return (value) => ordered(operator, String(value) < text ? -1 : String(value) === text ? 0 : 1)
}

function ordered(operator: Restriction['operator'], difference: number): boolean {
  if (operator === '<') return difference < 0
  if (operator === '<=') return difference <= 0
  if (operator === '>') return difference > 0
  if (operator === '>=') return difference >= 0
  return difference === 0
}

/** Whether `value` contains `pieces` in this order. Looks for each piece once. @param isWhole whether the first piece is at the start and the last at the end */
function holdsInOrder(value: string, pieces: readonly string[], isWhole: boolean): boolean {
  const [first = '', ...rest] = pieces
  const last = rest.pop()
  if (last === undefined) return isWhole ? value === first : value.includes(first)
  let at = isWhole ? (value.startsWith(first) ? 0 : -1) : value.indexOf(first)
  if (at < 0) return false
  at += first.length
  for (const piece of rest) {
    const found = value.indexOf(piece, at)
    if (found < 0) return false
    at = found + piece.length
  }
  return isWhole ? value.length - last.length >= at && value.endsWith(last) : value.includes(last, at)
}

/** RFC 3339, or a day of it. */
function readTime(text: string): number {
  return /^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d))?$/.test(text) ? Date.parse(text) : Number.NaN
}
