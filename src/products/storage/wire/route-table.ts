import { decodePart } from './query.ts'

/** One method of the JSON API. `path` is `b/:bucket/o/:object`: a part with a colon is taken as it comes, percent-encoded slashes and all. */
export interface Route<T> {
  readonly verb: string
  readonly path: string
  readonly handle: T
}

export interface Matched<T> {
  readonly handle: T
  /** The path's parts by their names, decoded. */
  readonly params: ReadonlyMap<string, string>
}

/** A matcher over the raw path, so that an object named `a/acl` is told from a list of access (storage trap 26). */
export function routeTable<T>(routes: readonly Route<T>[]): (verb: string, path: string) => Matched<T> | undefined {
  const table = routes.map(({ verb, path, handle }) => ({ verb, parts: path.split('/'), handle }))
  return (verb, path) => {
    const segments = path.split('/')
    for (const { verb: wanted, parts, handle } of table) {
      if (wanted !== verb || parts.length !== segments.length) continue
      if (parts.every((part, index) => part.startsWith(':') || part === segments[index])) {
        return { handle, params: new Map(parts.flatMap((part, index) => readParam(part, segments[index] ?? ''))) }
      }
    }
    return undefined
  }
}

function readParam(part: string, segment: string): readonly (readonly [string, string])[] {
  return part.startsWith(':') ? [[part.slice(1), decodePart(segment)]] : []
}
