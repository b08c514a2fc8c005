import { isRecord } from '../../base/is-record.ts'
import { readFilter } from './filter.ts'
import { cellOf, type Row } from './project-row.ts'
import { pythonText } from './python-text.ts'
import { readFormat, type Column, type Format } from './read-format.ts'
import { readKey, valueAt } from './resource-key.ts'
import { Scanner } from './scanner.ts'

export interface Arrangement {
  readonly flatten?: string
  readonly sortBy?: string
  readonly filter?: string
  readonly limit?: number
}

/** The rows to print. Applies flatten, sort, filter and limit, in gcloud's order. Labels of the default table are keys too: `--sort-by=SERVICE`. */
export function arrangeRows(rows: readonly Row[], options: Arrangement, table?: Format): readonly Row[] {
  const flat = options.flatten === undefined ? rows : options.flatten.split(',').reduce(flattened, rows)
  const sorted = options.sortBy === undefined ? flat : options.sortBy.split(',').reduceRight((all, key) => sortBy(all, key, table), flat)
  const filter = options.filter === undefined ? undefined : readFilter(options.filter)
  const kept = filter === undefined ? sorted : sorted.filter((row) => filter((key) => keyed(row, key, table)))
  return options.limit === undefined ? kept : kept.slice(0, options.limit)
}

/** Compares numbers by size and other values by their text. An absent value comes first. */
export function compareCells(one: unknown, other: unknown): number {
  if (typeof one === 'number' && typeof other === 'number') return one - other
  const [a, b] = [pythonText(one), pythonText(other)]
  return a < b ? -1 : a > b ? 1 : 0
}

/** Reads a sort key. `~name` sorts in descending order. */
function sortBy(rows: readonly Row[], key: string, table: Format | undefined): readonly Row[] {
  const down = key.startsWith('~')
  const name = key.slice(down ? 1 : 0).trim()
  return rows.toSorted((a, b) => (down ? -1 : 1) * compareCells(keyed(a, name, table), keyed(b, name, table)))
}

/** The value of a key, or of the column with that label. A key may end in transforms. */
function keyed(row: Row, text: string, table: Format | undefined): unknown {
  const labelled = table?.columns.find(({ label, defaultLabel }) => (label ?? defaultLabel).toLowerCase() === text.toLowerCase())
  const column: Column | undefined = labelled ?? readFormat(`value(${text})`).columns[0]
  return column === undefined ? undefined : cellOf(row, column)
}

/** Makes one row for each item of the list at `key`, with the item in place of the list. */
function flattened(rows: readonly Row[], key: string): readonly Row[] {
  const path = readKey(new Scanner(key.replace(/\[\]$/, ''), '--flatten'))
  return rows.flatMap((row) => {
    const list = valueAt(row.resource, path)
    if (!Array.isArray(list)) return [row]
    return list.map((item) => ({ ...row, resource: replaced(row.resource, path, item) as Row['resource'] }))
  })
}

function replaced(value: unknown, path: ReturnType<typeof readKey>, item: unknown): unknown {
  const [step, ...rest] = path
  if (typeof step !== 'string') return item
  return isRecord(value) ? { ...value, [step]: replaced(value[step], rest, item) } : value
}
