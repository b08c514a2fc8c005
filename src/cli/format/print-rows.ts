import { isRecord } from '../../base/is-record.ts'
import { stringify } from 'yaml'
import { printTable } from './print-table.ts'
import { cellOf, project, type Row } from './project-row.ts'
import { pythonText } from './python-text.ts'
import type { Column, Format } from './read-format.ts'

/**
 * Prints `rows` in `format`, as text with line ends. Empty without output.
 * @param single whether the row was asked for by name: it is printed without the frame of a list
 */
export function printRows(format: Format, rows: readonly Row[], single: boolean): string {
  const { name, columns, attributes } = format
  if (name === 'none' || name === 'disable') return ''
  if (name === 'table') return printTable(columns, attributes, rows)
  if (name === 'csv') return printCsv(columns, attributes, rows)
  if (name === 'value' || name === 'get') return printValues(columns, attributes, rows)
  const values = rows.map((row) => sorted(project(row, columns)))
  if (name === 'json') return `${JSON.stringify(single ? values[0] : values, null, 2)}\n`
  const documents = values.map((value) => (name === 'yaml' || name === 'default' ? yamlText(value) : flatText(value)))
  return single ? documents.join('') : documents.map((text) => `---\n${text}`).join('')
}

/** YAML 1.1 as PyYAML reads it: text that looks like a number or a time is quoted. */
export function yamlText(value: unknown): string {
  return stringify(value, { version: '1.1', singleQuote: true, lineWidth: 0, indentSeq: false, aliasDuplicateObjects: false })
}

function printValues(columns: readonly Column[], attributes: Format['attributes'], rows: readonly Row[]): string {
  const { separator = '\t', delimiter = ';', terminator = '\n' } = attributes
  return rows.map((row) => columns.map((column) => scalars(cellOf(row, column)).join(delimiter)).join(separator) + terminator).join('')
}

function printCsv(columns: readonly Column[], attributes: Format['attributes'], rows: readonly Row[]): string {
  const { separator = ',', delimiter = ';', terminator = '\n', heading = 'true' } = attributes
  const quote = (text: string) => (/[",\n\r]/.test(text) || text.includes(separator) ? `"${text.replaceAll('"', '""')}"` : text)
  const head = columns.map(({ label, defaultLabel }) => (label ?? defaultLabel).toLowerCase()).join(separator) + terminator
  const lines = rows.map(
    (row) => columns.map((column) => scalars(cellOf(row, column)).map(quote).join(delimiter)).join(separator) + terminator,
  )
  return (heading === 'false' ? '' : head) + lines.join('')
}

/** The items of a list, the pairs of a record, or the one value. */
function scalars(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.map(pythonText)
  if (!isRecord(value)) return [pythonText(value)]
  return Object.keys(value)
    .toSorted()
    .map((key) => `${key}=${pythonText(value[key])}`)
}

/** Lines such as `status.traffic[0].percent: 100`, with the values in one column. */
function flatText(value: unknown): string {
  const leaves = flatten(value, '')
  const width = Math.max(0, ...leaves.map(([key]) => key.length)) + 2
  return leaves.map(([key, text]) => `${`${key}:`.padEnd(width)}${text}`.trimEnd() + '\n').join('')
}

function flatten(value: unknown, prefix: string): readonly (readonly [key: string, text: string])[] {
  if (Array.isArray(value) && value.length > 0) return value.flatMap((item, index) => flatten(item, `${prefix}[${index}]`))
  if (isRecord(value) && Object.keys(value).length > 0) {
    return Object.entries(value).flatMap(([key, part]) => flatten(part, prefix === '' ? key : `${prefix}.${key}`))
  }
  if (value === null || value === undefined) return []
  return [[prefix, typeof value === 'object' ? (Array.isArray(value) ? '[]' : '{}') : pythonText(value)]]
}

/** Sorts keys by the alphabet, as gcloud does. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (!isRecord(value)) return value
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, part]) => [key, sorted(part)])) // prettier-ignore
}
