import { isRecord } from '../base/is-record.ts'
/** JSON merge patch: null takes a key away, objects merge, the rest is replaced. Source: RFC 7396. */
export function mergePatch(current: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch
  const merged = new Map(isRecord(current) ? Object.entries(current) : []) // a Map, and fromEntries, know no `__proto__`
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key)
    else merged.set(key, mergePatch(merged.get(key), value))
  }
  return Object.fromEntries(merged)
}

/** What null stands for is absent: Python's client sends `"generation": null`. Below lists too, though not as their elements. */
export function withoutNulls(value: unknown): unknown {
  if (!hasNulls(value)) return value
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (!isRecord(value)) return value
  return Object.fromEntries(Object.entries(value).flatMap(([key, below]) => (below === null ? [] : [[key, withoutNulls(below)]])))
}

function hasNulls(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return Object.values(value).some((below) => below === null || hasNulls(below))
}

/** The part of an object whose keys `has` takes. */
export function picked(value: unknown, has: (key: string) => boolean): unknown {
  return isRecord(value) ? Object.fromEntries(Object.entries(value).filter(([key]) => has(key))) : value
}
