import { isRecord } from '../../base/is-record.ts'
import { lastPart } from '../../base/last-part.ts'
import { pythonText } from './python-text.ts'
import { readKey, valueAt } from './resource-key.ts'
import { Scanner } from './scanner.ts'

/** The arguments of a transform by position and by name, as text. */
export interface Arguments {
  readonly positional: readonly string[]
  readonly named: Readonly<Record<string, string>>
}

/** @param value the value at the key @param row the whole resource */
export type Transform = (value: unknown, args: Arguments, row: unknown) => unknown

/** The transforms of `gcloud topic projections` that are useful for resources of Cloud Run. The projection itself applies `map`. */
export const transforms: Readonly<Record<string, Transform>> = {
  always: (value) => value,
  basename: (value, args) => lastPart(pythonText(value).replace(/\/+$/, '')) || argument(args, 0, 'undefined', ''),
  color: (value) => value,
  count: (value) => counted(items(value)),
  date: (value, args) => date(value, argument(args, 0, 'format', '%Y-%m-%dT%H:%M:%S'), argument(args, 2, 'undefined', '')),
  decode: (value) => Buffer.from(pythonText(value), 'base64').toString(),
  encode: (value) => Buffer.from(pythonText(value)).toString('base64'),
  extract: (value, { positional }) => positional.map((key) => valueAt(value, keyOf(key))).filter((found) => !isEmpty(found)),
  firstof: (value, { positional }) => positional.map((key) => valueAt(value, keyOf(key))).find((found) => !isEmpty(found)),
  flatten: (value, args) => listed(value, argument(args, 0, 'show', ''), argument(args, 2, 'separator', ',')),
  format: (value, { positional: [text = '', ...keys] }, row) =>
    text.replaceAll(/\{(\d+)\}/g, (_all, index: string) => {
      const key = keys[Number(index)]
      return pythonText(key === undefined ? (Array.isArray(value) ? value[Number(index)] : value) : valueAt(row, keyOf(key)))
    }),
  iso: (value) => date(value, '%Y-%m-%dT%H:%M:%S', ''),
  join: (value, args) =>
    items(value)
      .map(pythonText)
      .join(argument(args, 0, 'sep', '/')) || argument(args, 1, 'undefined', ''),
  len: (value) => (isRecord(value) ? Object.keys(value).length : items(value).length),
  list: (value, args) => listed(value, argument(args, 0, 'show', ''), argument(args, 2, 'separator', ',')),
  lower: (value) => pythonText(value).toLowerCase(),
  notnull: (value) => items(value).filter((item) => item !== null && item !== undefined),
  regex: (value, args) =>
    new RegExp(argument(args, 0, 'expression', '')).test(pythonText(value))
      ? argument(args, 1, 'does_match', pythonText(value))
      : argument(args, 2, 'nomatch', ''),
  scope: (value, { positional }) => scope(pythonText(value), positional.length > 0 ? positional : ['regions', 'zones']),
  segment: (value, args) =>
    pythonText(value)
      .split('/')
      .at(Number(argument(args, 0, 'index', '-1'))) || argument(args, 1, 'undefined', ''),
  slice: (value, args) => slice(items(value), argument(args, 0, 'op', ':')),
  sort: (value) => items(value).toSorted((a, b) => (pythonText(a) < pythonText(b) ? -1 : 1)),
  split: (value, args) => (pythonText(value) === '' ? [] : pythonText(value).split(argument(args, 0, 'sep', '/'))),
  sub: (value, args) =>
    pythonText(value).replaceAll(new RegExp(argument(args, 0, 'pattern', ''), 'gi'), argument(args, 1, 'replacement', '')),
  trailoff: (value, args) => {
    const [text, limit] = [pythonText(value), Number(argument(args, 0, 'character_limit', '80'))]
    return text.length < limit ? text : `${text.slice(0, Math.max(0, limit - 3))}...`
  },
  upper: (value) => pythonText(value).toUpperCase(),
  yesno: (value, args) => (isEmpty(value) ? argument(args, 1, 'no', 'No') : argument(args, 0, 'yes', pythonText(value))),
}

function argument(args: Arguments, position: number, name: string, fallback: string): string {
  return args.named[name] ?? args.positional[position] ?? fallback
}

function keyOf(text: string) {
  return readKey(new Scanner(text, '--format'))
}

/** Whether Python counts a value as false. */
function isEmpty(value: unknown): boolean {
  if (isRecord(value)) return Object.keys(value).length === 0
  return (
    value === undefined || value === null || value === false || value === 0 || value === '' || (Array.isArray(value) && value.length === 0)
  )
}

function items(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : typeof value === 'string' ? [...value] : []
}

function listed(value: unknown, show: string, separator: string): unknown {
  if (Array.isArray(value)) return value.map(pythonText).join(separator)
  if (!isRecord(value)) return value
  const pairs = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return pairs
    .map(([key, part]) => (show === 'keys' ? key : show === 'values' ? pythonText(part) : `${key}=${pythonText(part)}`))
    .join(separator)
}

function counted(all: readonly unknown[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const item of all) counts[pythonText(item)] = (counts[pythonText(item)] ?? 0) + 1
  return counts
}

/** The part of a URI after `/NAME/`. */
function scope(uri: string, names: readonly string[]): string {
  for (const name of names) {
    const at = uri.indexOf(`/${name}/`)
    if (at >= 0) return uri.slice(at + name.length + 2)
  }
  return uri.includes('/projects/') || uri.startsWith('http') ? lastPart(uri) : uri
}

/** Applies Python's `[start:end:step]` to text. */
function slice(all: readonly unknown[], op: string): readonly unknown[] {
  const parts = op.split(':').map((part) => (part.trim() === '' ? undefined : Number(part)))
  const [start, end, step = 1] = parts
  if (parts.length === 1) return all.slice(start, start === -1 ? undefined : (start ?? 0) + 1)
  const cut = step < 0 ? all.slice(start, end).toReversed() : all.slice(start, end)
  return cut.filter((_item, index) => index % Math.abs(step) === 0)
}

/** Formats a time in UTC with the letters of strftime. `undefinedText` for a value that is no time. */
function date(value: unknown, format: string, undefinedText: string): string {
  const time = new Date(pythonText(value))
  if (Number.isNaN(time.getTime())) return undefinedText
  const [day, clock = ''] = time.toISOString().split('T')
  const [year = '', month = '', date_ = ''] = (day ?? '').split('-')
  const [hours = '', minutes = '', seconds = ''] = clock.split(':')
  const letters: Readonly<Record<string, string>> = {
    Y: year, m: month, d: date_, H: hours, M: minutes, S: seconds.slice(0, 2), f: `${seconds.slice(3, 6)}000`, y: year.slice(2), Z: 'UTC', z: '+0000',
    F: `${year}-${month}-${date_}`, T: `${hours}:${minutes}:${seconds.slice(0, 2)}`, s: String(Math.floor(time.getTime() / 1000)), '%': '%',
    b: time.toLocaleString('en', { month: 'short', timeZone: 'UTC' }), B: time.toLocaleString('en', { month: 'long', timeZone: 'UTC' }),
    a: time.toLocaleString('en', { weekday: 'short', timeZone: 'UTC' }), A: time.toLocaleString('en', { weekday: 'long', timeZone: 'UTC' }),
  } // prettier-ignore
  return format.replaceAll(/%([a-zA-Z%])/g, (all, letter: string) => letters[letter] ?? all)
}
