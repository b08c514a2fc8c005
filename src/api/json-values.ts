import { isRecord } from '../base/is-record.ts'
/** Applies a JSON merge patch: null removes a key, objects merge, other values are replaced. Source: RFC 7396. */
export function mergePatch(current: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch
  const merged = new Map(isRecord(current) ? Object.entries(current) : []) // a Map, and fromEntries, know no `__proto__`
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key)
    else merged.set(key, mergePatch(merged.get(key), value))
  }
  return Object.fromEntries(merged)
}

/** Removes keys whose value is null, since Python's client sends `"generation": null` for an absent field. Elements of lists stay. */
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

/** The entries of an object whose keys `has` accepts. */
export function picked(value: unknown, has: (key: string) => boolean): unknown {
  return isRecord(value) ? Object.fromEntries(Object.entries(value).filter(([key]) => has(key))) : value
}
