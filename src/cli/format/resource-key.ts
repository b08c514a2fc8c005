import { isRecord } from '../../base/is-record.ts'
import type { Scanner } from './scanner.ts'

/** One step into a resource: a name, an index (below zero from the end), or every item: `[]`. */
type Step = string | number | typeof every
export type Key = readonly Step[]

const every = Symbol('every item')

/**
 * Reads a key: `metadata.labels."run.googleapis.com/x"`, `status.traffic[0].percent`, `traffic[].tag`. Stops before a transform: a name with `(` behind it.
 */
export function readKey(scanner: Scanner): Key {
  const steps: Step[] = []
  for (;;) {
    const before = scanner.at
    const isFirst = steps.length === 0
    if (!isFirst && !scanner.take('.')) {
      if (scanner.peek() !== '[') return steps
    } else if (scanner.peek() !== '[') {
      const quoted = scanner.quoted()
      const name = quoted ?? scanner.match(/[\w\-/@$]+/y)
      if (name === '' || (quoted === undefined && scanner.peek() === '(')) {
        scanner.at = before
        return steps
      }
      steps.push(name)
      continue
    }
    if (!scanner.take('[')) return steps
    const index = scanner.match(/-?\d*/y)
    scanner.expect(']')
    steps.push(index === '' ? every : Number(index))
  }
}

/** The value at `key`. Undefined for an absent value. A name that meets a list is looked up in each item. */
export function valueAt(value: unknown, key: Key): unknown {
  const [step, ...rest] = key
  if (step === undefined) return value
  if (step === every) return Array.isArray(value) ? valueAt(value, rest) : undefined
  if (typeof step === 'number') return Array.isArray(value) ? valueAt(value.at(step), rest) : undefined
  if (Array.isArray(value)) return value.map((item) => valueAt(item, key)).filter((found) => found !== undefined)
  return isRecord(value) ? valueAt(member(value, step), rest) : undefined
}

/** The part of `value` at `key`, in its place: `{"metadata": {"name": ...}}`. `change` makes the leaf. */
export function pick(value: unknown, key: Key, change: (leaf: unknown) => unknown): unknown {
  const [step, ...rest] = key
  if (step === undefined) return change(value)
  if (step === every) return Array.isArray(value) ? pick(value, rest, change) : undefined
  if (typeof step === 'number') {
    const found = Array.isArray(value) ? pick(value.at(step), rest, change) : undefined
    return found === undefined ? undefined : [found]
  }
  if (Array.isArray(value)) return value.map((item) => pick(item, key, change)).filter((found) => found !== undefined)
  const found = isRecord(value) ? pick(member(value, step), rest, change) : undefined
  return found === undefined ? undefined : { [step]: found }
}

/** Finds a name in either form: `latest_ready_revision` finds latestReadyRevision and the reverse, as gcloud's keys do. */
function member(value: Readonly<Record<string, unknown>>, name: string): unknown {
  if (Object.hasOwn(value, name)) return value[name]
  const camel = name.replaceAll(/_([a-z])/g, (_all, letter: string) => letter.toUpperCase())
  if (Object.hasOwn(value, camel)) return value[camel]
  const snake = toSnake(name)
  return Object.hasOwn(value, snake) ? value[snake] : undefined
}

/** `latestReadyRevision` as `latest_ready_revision`. */
export function toSnake(name: string): string {
  return name.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase()
}
