import { CloudError } from '../../base/cloud-error.ts'
import { didYouMean } from '../../base/did-you-mean.ts'
import { readKey, toSnake, type Key } from './resource-key.ts'
import { Scanner } from './scanner.ts'
import { transforms, type Arguments } from './transforms.ts'

/** `table[no-heading](name:label=SERVICE:sort=1, status.url.basename())` */
export interface Format {
  readonly name: FormatName
  /** `no-x` is `x: 'false'`, a bare `x` is `x: 'true'`. */
  readonly attributes: Readonly<Record<string, string>>
  readonly columns: readonly Column[]
}

export interface Column {
  readonly key: Key
  readonly calls: readonly Call[]
  /** The label of `:label=`. */
  readonly label?: string
  /** The last name of the key in snake case, with the name before it when another column has the same last name. */
  readonly defaultLabel: string
  readonly attributes: Readonly<Record<string, string>>
}

export interface Call extends Arguments {
  readonly name: string
  /** How many `map()` precede the transform: it applies to items at that depth. */
  readonly mapped: number
}

const names = ['json', 'yaml', 'value', 'get', 'csv', 'table', 'text', 'flattened', 'default', 'none', 'disable'] as const
type FormatName = (typeof names)[number]
const needColumns: readonly FormatName[] = ['csv', 'value', 'get', 'table']

/** @throws CloudError USAGE, with the place of the fault */
export function readFormat(text: string): Format {
  const scanner = new Scanner(text, '--format')
  scanner.space()
  const word = scanner.match(/[a-z]*/y)
  const name = names.find((known) => known === word)
  if (name === undefined) {
    const meant = didYouMean(word, names)
    throw new CloudError(
      'INVALID_ARGUMENT',
      `--format: "${word || text}" is no format that devcloud has.`,
      meant === undefined ? `Write one of: ${names.join(', ')}.` : `Did you mean ${meant}? There are: ${names.join(', ')}.`,
      { fault: 'USAGE' },
    )
  }
  const attributes = scanner.take('[') ? readAttributes(scanner, ']') : {}
  const columns = scanner.take('(') ? readColumns(scanner) : []
  scanner.space()
  if (!scanner.done) throw scanner.fault('nothing may follow')
  if (columns.length === 0 && needColumns.includes(name)) {
    throw new CloudError('INVALID_ARGUMENT', `--format: ${name} needs the keys to print.`, `Write --format='${name}(metadata.name)'.`, {
      fault: 'USAGE',
    })
  }
  return { name, attributes, columns }
}

function readColumns(scanner: Scanner): readonly Column[] {
  const columns: Column[] = []
  const labels = new Set<string>()
  for (;;) {
    scanner.space()
    const key = readKey(scanner)
    const calls = readCalls(scanner, key.length === 0)
    if (key.length === 0 && calls.length === 0) throw scanner.fault('a key is missing')
    const attributes: Record<string, string> = {}
    while (scanner.take(':')) Object.assign(attributes, readAttribute(scanner, /[^:,)\s]*/y))
    const defaultLabel = labelFor(key, calls, labels)
    labels.add(defaultLabel)
    const { label } = attributes
    columns.push({ key, calls, attributes, defaultLabel, ...(label !== undefined && { label }) })
    scanner.space()
    if (scanner.take(')')) return columns
    scanner.expect(',')
  }
}

function labelFor(key: Key, calls: readonly Call[], taken: ReadonlySet<string>): string {
  const words = key.filter((step) => typeof step === 'string').map(toSnake)
  const last = words.at(-1) ?? calls[0]?.name ?? ''
  return taken.has(last) && words.length > 1 ? `${words.at(-2)}_${last}` : last
}

function readCalls(scanner: Scanner, isFirst: boolean): readonly Call[] {
  const calls: Call[] = []
  let mapped = 0
  for (let first = isFirst; first || scanner.take('.'); first = false) {
    const stars = scanner.match(/\**/y).length
    const before = scanner.at
    const name = scanner.match(/[a-z_]+/y)
    if (name === '' && isFirst) return calls
    scanner.expect('(')
    const args = readArguments(scanner)
    if (name === 'map') mapped += Number(args.positional[0] ?? 1)
    else if (Object.hasOwn(transforms, name)) {
      calls.push({ name, mapped: mapped + stars, ...args })
      mapped = 0
    } else {
      scanner.at = before
      throw scanner.fault(`the transform "${name}" is not known. There are: map, ${Object.keys(transforms).join(', ')};`)
    }
  }
  return calls
}

function readArguments(scanner: Scanner): Arguments {
  const positional: string[] = []
  const named: Record<string, string> = {}
  for (;;) {
    scanner.space()
    if (scanner.take(')')) return { positional, named }
    const before = scanner.at
    const name = scanner.match(/[a-z_]+(?==)/y)
    if (name !== '' && scanner.take('=')) named[name] = scanner.quoted() ?? scanner.match(/[^,)]*/y).trim()
    else {
      scanner.at = before
      positional.push(scanner.quoted() ?? scanner.match(/[^,)]*/y).trim())
    }
    scanner.space()
    if (scanner.peek() !== ')') scanner.expect(',')
  }
}

/** `no-heading, separator="|"]` */
function readAttributes(scanner: Scanner, end: string): Record<string, string> {
  const attributes: Record<string, string> = {}
  for (;;) {
    scanner.space()
    if (scanner.take(end)) return attributes
    Object.assign(attributes, readAttribute(scanner, /[^,\]]*/y))
    scanner.space()
    if (scanner.peek() !== end) scanner.expect(',')
  }
}

function readAttribute(scanner: Scanner, bare: RegExp): Record<string, string> {
  const isOff = scanner.take('no-')
  const name = scanner.match(/[a-z-]+/y)
  if (name === '') throw scanner.fault('the name of an attribute is missing')
  const value = scanner.take('=') ? (scanner.quoted() ?? scanner.match(bare)) : 'true'
  return { [name]: isOff ? 'false' : value }
}
