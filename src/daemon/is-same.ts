import { isRecord } from '../base/is-record.ts'

/** True when everything that `body` says stands in `found`, which also has the server's own fields. */
export function isSame(found: unknown, body: unknown): boolean {
  if (Array.isArray(body))
    return (
      (Array.isArray(found) || (found === undefined && body.length === 0)) &&
      body.length === (found ?? []).length &&
      body.every((part, i) => isSame((found as unknown[])[i], part))
    )
  if (isRecord(body))
    return isRecord(found) ? Object.entries(body).every(([key, part]) => isSame(found[key], part)) : Object.keys(body).length === 0
  return found === body || (found === undefined && (body === 0 || body === '' || body === false))
}
