import type { RealPath } from './mounts.ts'

/**
 * Replaces each mount's target by its real path, plain and in the forms of a URL: `postgres:///db?host=/cloudsql/p:r:i`, `%2Fcloudsql%2Fp%3Ar%3Ai`. Pure.
 * A target counts only as a whole path: `/cloudsqlx` and `/srv/cloudsql` stay. Of two targets the longer one counts, and replaced text is not read again.
 */
export function rewritePaths(env: Readonly<Record<string, string>>, paths: readonly RealPath[]): Record<string, string> {
  const forms = new Map(paths.flatMap(({ target, path }) => writtenForms(target, path)))
  if (forms.size === 0) return { ...env }
  const longestFirst = [...forms.keys()].toSorted((a, b) => b.length - a.length).map((text) => RegExp.escape(text))
  const targets = new RegExp(`(?<![\\w.-]|[\\w.-]%2F)(?:${longestFirst.join('|')})(?![\\w.-])`, 'g')
  return Object.fromEntries(
    Object.entries(env).map(([name, value]) => [name, value.replace(targets, (found) => forms.get(found) ?? found)]),
  )
}

/** The forms of a path in settings: plain, with escaped colons, wholly escaped, and escaped without the colons. */
function writtenForms(target: string, path: string): (readonly [string, string])[] {
  const clean = target.replace(/\/+$/, '')
  const escaped = encodeURIComponent(clean)
  return [
    [clean, path],
    [clean.replaceAll(':', '%3A'), path.replaceAll(':', '%3A')],
    [escaped, encodeURIComponent(path)],
    [escaped.replaceAll('%3A', ':'), encodeURIComponent(path).replaceAll('%3A', ':')],
  ]
}
