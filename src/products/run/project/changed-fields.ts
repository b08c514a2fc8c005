import { isRecord } from '../../../base/is-record.ts'

/**
 * What of `body` does not stand in `found` so, in the words of a service: `image`, `env`, `resources.limits.cpu`. `found` also has fields of the
 * server's own. Empty where all is the same.
 */
export function changedFields(found: unknown, body: unknown): readonly string[] {
  return [...new Set(changedPaths(found, body, '').map(fieldOf))]
}

function changedPaths(found: unknown, body: unknown, path: string): readonly string[] {
  if (Array.isArray(body)) {
    const items = Array.isArray(found) ? (found as readonly unknown[]) : []
    if (found !== undefined && !Array.isArray(found)) return [path]
    if (items.length !== body.length) return [path]
    return body.flatMap((part, index) => changedPaths(items[index], part, `${path}[${index}]`))
  }
  if (isRecord(body)) {
    if (!isRecord(found)) return Object.keys(body).length === 0 ? [] : [path]
    return Object.entries(body).flatMap(([key, part]) => changedPaths(found[key], part, path === '' ? key : `${path}.${key}`))
  }
  const isSame = found === body || (found === undefined && (body === 0 || body === '' || body === false))
  return isSame ? [] : [path]
}

/** `template.template.containers[0].env[2].value` is `env`. */
function fieldOf(path: string): string {
  const within = path.replace(/^(?:template\.)+/, '').replace(/^containers\[\d+\]\./, '')
  return within.replace(/\[.*/, '')
}
