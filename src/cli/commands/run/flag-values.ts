import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { CloudError, messageOf } from '../../../base/cloud-error.ts'

/** One flag as it was written, in the order of the command line. A switch has `true` or `false`. */
export interface Given {
  /** Without dashes: `update-env-vars`. */
  readonly flag: string
  readonly value: string
}

/** A fault in what was written on the command line: exit code 2. */
export function usage(message: string, next: string): CloudError {
  return new CloudError('INVALID_ARGUMENT', message, next, { fault: 'USAGE' })
}

/** `a,b` or, where a value holds commas, `^:^a,b:c`. Source: gcloud topic escaping. Empty for an empty text. */
export function readList(text: string): readonly string[] {
  const [, delimiter = ',', rest = text] = /^\^([^^]+)\^([\s\S]*)$/.exec(text) ?? []
  return rest === '' ? [] : rest.split(delimiter)
}

/** `a=1,b=x=y` as pairs in order; the first `=` divides. @throws CloudError USAGE */
export function readPairs({ flag, value }: Given): readonly (readonly [key: string, value: string])[] {
  return readList(value).map((item) => {
    const at = item.indexOf('=')
    if (at > 0) return [item.slice(0, at), item.slice(at + 1)]
    throw usage(
      `argument --${flag}: Bad syntax for dict arg: [${item}].`,
      `Write KEY=VALUE; where a value holds a comma, choose another delimiter: --${flag}='^;^KEY=a,b;OTHER=c'.`,
    )
  })
}

/** A YAML or JSON file of names and values: `KEY: "value"`. Numbers and booleans must be quoted, as gcloud has it. @throws CloudError USAGE */
export function readPairsFile({ flag, value: path }: Given): readonly (readonly [key: string, value: string])[] {
  let read: unknown
  try {
    read = parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw usage(`argument --${flag}: ${path} cannot be read: ${messageOf(error)}`, 'Name a YAML file of KEY: "value" lines.')
  }
  if (typeof read !== 'object' || read === null || Array.isArray(read)) {
    throw usage(`argument --${flag}: ${path} holds no names with values.`, 'Write KEY: "value" lines.')
  }
  return Object.entries(read).map(([key, value]: [string, unknown]) => {
    if (typeof value === 'string') return [key, value]
    throw usage(`argument --${flag}: the value of ${key} in ${path} is not a string.`, `Quote it: ${key}: "${String(value)}".`)
  })
}

/** A whole number in its bounds; undefined for the word `default`, which takes a setting away. @throws CloudError USAGE */
export function readCount({ flag, value }: Given, least: number, most = Number.MAX_SAFE_INTEGER): number | undefined {
  if (value === 'default') return undefined
  const count = Number(value)
  if (/^\d+$/.test(value) && count >= least && count <= most) return count
  throw usage(
    `argument --${flag}: "${value}" is not a whole number from ${least}${most < 1e9 ? ` to ${most}` : ' up'}.`,
    `Write such a number.`,
  )
}

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }

/** `300`, `10m5s`, `1h` as the API's `605s`. @throws CloudError USAGE */
export function readDuration({ flag, value }: Given): string {
  const parts = [...value.matchAll(/(\d+)([smhd]?)/g)]
  const seconds = parts.reduce((sum, [, count, unit]) => sum + Number(count) * (unitSeconds[unit || 's'] ?? 1), 0)
  if (parts.length > 0 && parts.map(([all]) => all).join('') === value) return `${seconds}s`
  throw usage(`argument --${flag}: "${value}" is not a duration.`, 'Write seconds, or for example 10m5s.')
}

/** @throws CloudError USAGE unless `value` is one of `choices` */
export function readChoice<T extends string>({ flag, value }: Given, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === value)
  if (found !== undefined) return found
  throw usage(`argument --${flag}: Invalid choice: '${value}'.`, `Write one of: ${choices.join(', ')}.`)
}

/** What `--set-X`, `--add-X`, `--remove-X` or `--clear-X` makes of a list; one of them alone may be given. */
export function editNames(now: readonly string[], given: readonly Given[], read = (name: string) => name): readonly string[] {
  const flags = [...new Set(given.map(({ flag }) => flag))]
  if (flags.length > 1) throw usage(`At most one of ${flags.map((flag) => `--${flag}`).join(' | ')} can be specified.`, 'Leave one out.')
  const named = given.flatMap(({ flag, value }) => (flag.startsWith('clear-') ? [] : readList(value).map(read)))
  const [verb] = (flags[0] ?? '').split('-')
  if (verb === 'add') return [...new Set([...now, ...named])]
  return verb === 'remove' ? now.filter((name) => !named.includes(name)) : named
}
