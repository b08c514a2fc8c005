import { CloudError } from '../base/cloud-error.ts'
import type { Place } from './place.ts'

/** The most problems that are shown. The rest is counted. */
const shown = 50

/** Gathers the problems in a project's files, to report all of them at once. */
export class Problems {
  readonly #found = new Map<string, { readonly place: Place; readonly text: string }>()

  /** @param text the problem and what to write instead: `unknown key "databses"; write "databases"`. Never a secret's value. */
  add(place: Place, text: string): void {
    const line = `${place.file}:${place.line}:${place.column}  ${text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')}`
    if (!this.#found.has(line)) this.#found.set(line, { place, text })
  }

  get count(): number {
    return this.#found.size
  }

  /** @throws CloudError CONFIG_INVALID with one line for each problem, ordered by file, line and column */
  throwIfAny(): void {
    if (this.count === 0) return
    const sorted = [...this.#found].toSorted(([, a], [, b]) => compare(a.place, b.place))
    const files = [...new Set(sorted.map(([, { place }]) => place.file))]
    const lines = sorted.slice(0, shown).map(([line]) => line)
    if (sorted.length > shown) lines.push(`and ${sorted.length - shown} more`)
    const title = `${sorted.length} ${sorted.length === 1 ? 'problem' : 'problems'} in ${files.join(', ')}`
    throw new CloudError('INVALID_ARGUMENT', title, `Change ${files.join(', ')} as the lines say, then run devcloud up again.`, {
      fault: 'CONFIG_INVALID',
      evidence: lines,
    })
  }
}

function compare(a: Place, b: Place): number {
  if (a.file !== b.file) return rank(a.file) - rank(b.file) || (a.file < b.file ? -1 : 1)
  return a.line - b.line || a.column - b.column
}

function rank(file: string): number {
  return file === 'devcloud.yaml' ? 0 : 1
}
