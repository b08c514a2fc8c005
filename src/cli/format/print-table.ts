import { compareCells } from './arrange-rows.ts'
import { cellOf, type Row } from './project-row.ts'
import { pythonText } from './python-text.ts'
import type { Column, Format } from './read-format.ts'

/** Prints a table: columns two spaces apart under their labels, or in a box. Sorts by the columns that have `:sort=N`. */
export function printTable(columns: readonly Column[], attributes: Format['attributes'], rows: readonly Row[]): string {
  if (rows.length === 0) return ''
  const lines = sortByColumns(columns, rows).map((row) => columns.map((column) => pythonText(cellOf(row, column)).replaceAll('\n', ' ')))
  const shown = columns.map((column, i) => column.attributes['optional'] !== 'true' || lines.some((line) => line[i] !== ''))
  const keep = <T>(all: readonly T[]) => all.filter((_item, i) => shown[i])
  const head = keep(columns.map(({ label, defaultLabel }) => label ?? defaultLabel.toUpperCase()))
  const body = lines.map(keep)
  const all = attributes['heading'] === 'false' ? body : [head, ...body]
  const widths = head.map((_, i) => Math.max(...all.map((line) => line[i]?.length ?? 0)))
  const aligns = keep(columns.map((column) => column.attributes['align'] ?? 'left'))
  const cells = all.map((line) => line.map((cell, i) => align(cell, widths[i] ?? 0, aligns[i] ?? 'left')))
  const title = attributes['title'] === undefined ? '' : `${attributes['title']}\n`
  if (attributes['box'] === 'true' || attributes['all-box'] === 'true')
    return title + boxed(cells, widths, attributes['heading'] !== 'false')
  const gap = ' '.repeat(Number(attributes['pad'] ?? 2))
  return title + cells.map((line) => `${line.join(gap).trimEnd()}\n`).join('')
}

function sortByColumns(columns: readonly Column[], rows: readonly Row[]): readonly Row[] {
  const order = columns
    .filter((column) => column.attributes['sort'] !== undefined)
    .toSorted((a, b) => Number(a.attributes['sort']) - Number(b.attributes['sort']))
  return rows.toSorted((a, b) => {
    for (const column of order) {
      const compared = compareCells(cellOf(a, column), cellOf(b, column))
      if (compared !== 0) return column.attributes['reverse'] === 'true' ? -compared : compared
    }
    return 0
  })
}

function align(cell: string, width: number, how: string): string {
  if (how === 'right') return cell.padStart(width)
  if (how === 'center') return cell.padStart(cell.length + Math.floor((width - cell.length) / 2)).padEnd(width)
  return cell.padEnd(width)
}

function boxed(lines: readonly (readonly string[])[], widths: readonly number[], hasHead: boolean): string {
  const rule = (left: string, middle: string, right: string) => left + widths.map((width) => '─'.repeat(width + 2)).join(middle) + right
  const text = lines.map((line) => `│ ${line.join(' │ ')} │`)
  const [head, ...body] = text
  const inside = hasHead ? [head, rule('├', '┼', '┤'), ...body] : text
  return `${[rule('┌', '┬', '┐'), ...inside, rule('└', '┴', '┘')].join('\n')}\n`
}
