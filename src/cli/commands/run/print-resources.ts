import { InvalidArgumentError, type Command } from 'commander'
import { arrangeRows } from '../../format/arrange-rows.ts'
import { printRows } from '../../format/print-rows.ts'
import type { Row } from '../../format/project-row.ts'
import { readFormat, type Format } from '../../format/read-format.ts'
import type { WideOptions } from './scope.ts'

export interface ListOptions extends WideOptions {
  readonly filter?: string
  readonly sortBy?: string
  readonly limit?: number
  readonly pageSize?: number
  readonly uri?: true
}

export function addListOptions(command: Command): Command {
  return command
    .option('--filter <expression>', 'those that hold: metadata.name:web* AND spec.x=1, see gcloud topic filters')
    .option('--sort-by <keys>', 'in the order of these keys, ~KEY from the end')
    .option('--limit <count>', 'at most so many', readCount)
    .option('--page-size <count>', 'taken as gcloud takes it; pages are not shown', readCount)
    .option('--uri', 'their URIs alone')
}

/** Prints a list on stdout. @param table the format without `--format` */
export function printList(options: ListOptions, rows: readonly Row[], table: string): void {
  const standard = readFormat(table)
  const { filter, sortBy, limit, flatten } = options
  const kept = arrangeRows(
    rows,
    {
      ...(filter !== undefined && { filter }),
      ...(sortBy !== undefined && { sortBy }),
      ...(limit !== undefined && { limit }),
      ...(flatten !== undefined && { flatten }),
    },
    standard,
  )
  const format = options.uri === true ? readFormat('value(uri)') : (formatOf(options) ?? standard)
  write(printRows(sortBy === undefined ? format : unsorted(format), kept, false))
  if (kept.length === 0 && (format === standard || format.name === 'table')) process.stderr.write('Listed 0 items.\n')
}

/** Prints one resource on stdout. @param text without `--format` */
export function printOne(options: WideOptions, row: Row, text: () => string): void {
  const format = formatOf(options)
  const rows = options.flatten === undefined ? [row] : arrangeRows([row], { flatten: options.flatten })
  write(format === undefined ? text() : printRows(format, rows, rows.length === 1))
}

function formatOf({ format, json }: WideOptions): Format | undefined {
  if (json === true) return readFormat('json')
  return format === undefined ? undefined : readFormat(format)
}

function write(text: string): void {
  if (text !== '') process.stdout.write(text.endsWith('\n') ? text : `${text}\n`)
}

/** The table's own order gives way to `--sort-by`. */
function unsorted(format: Format): Format {
  return {
    ...format,
    columns: format.columns.map(({ attributes: { sort: _sort, ...attributes }, ...column }) => ({ ...column, attributes })),
  }
}

function readCount(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Write a number above 0.')
}
