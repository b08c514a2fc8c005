import { isRecord } from '../../base/is-record.ts'
import type { Call, Column } from './read-format.ts'
import { pick, valueAt } from './resource-key.ts'
import { transforms } from './transforms.ts'

/** A resource as the API answers it, with further values that gcloud's tables have: region, url, glyph. Keys find both. */
export interface Row {
  readonly resource: Readonly<Record<string, unknown>>
  readonly derived: Readonly<Record<string, unknown>>
}

/** The value of `column` for `row`. */
export function cellOf(row: Row, { key, calls }: Column): unknown {
  const whole = { ...row.resource, ...row.derived }
  return apply(valueAt(whole, key), calls, whole)
}

/** The part of the resource that `columns` name, in the resource's own shape. Without columns: the whole resource. */
export function project({ resource }: Row, columns: readonly Column[]): unknown {
  if (columns.length === 0) return resource
  return columns.map(({ key, calls }) => pick(resource, key, (leaf) => apply(leaf, calls, resource))).reduce(merge, {})
}

function apply(value: unknown, calls: readonly Call[], row: unknown): unknown {
  return calls.reduce((current, call) => mapDeep(current, call.mapped, (item) => transforms[call.name]?.(item, call, row)), value)
}

function mapDeep(value: unknown, depth: number, change: (item: unknown) => unknown): unknown {
  return depth > 0 && Array.isArray(value) ? value.map((item) => mapDeep(item, depth - 1, change)) : change(value)
}

function merge(one: unknown, other: unknown): unknown {
  if (Array.isArray(one) && Array.isArray(other)) {
    return Array.from({ length: Math.max(one.length, other.length) }, (_, i) => merge(one[i], other[i]))
  }
  if (!isRecord(one) || !isRecord(other)) return other ?? one
  const merged: Record<string, unknown> = { ...one }
  for (const [key, part] of Object.entries(other)) merged[key] = merge(merged[key], part)
  return merged
}
