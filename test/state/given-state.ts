import { cpSync, mkdtempSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export function freshDirectory(): string {
  return join(mkdtempSync(join(tmpdir(), 'devcloud-state-')), 'state')
}

const fixtures = join(import.meta.dirname, 'fixtures')

/** The names of the kept states, one for each schema that was ever on a user's disk: `schema-0`. */
export const fixtureNames = readdirSync(fixtures).filter((name) => name.startsWith('schema-'))

/** A copy of a kept state in a fresh directory. */
export function givenFixture(name: string): string {
  const directory = freshDirectory()
  cpSync(join(fixtures, name), directory, { recursive: true })
  return directory
}

/** Every file of `directory` with its bytes, for a comparison of before and after. */
export function contentsOf(directory: string): Readonly<Record<string, string>> {
  const paths = (readdirSync(directory, { recursive: true }) as string[]).toSorted()
  return Object.fromEntries(
    paths.filter((path) => statSync(join(directory, path)).isFile()).map((path) => [path, readFileSync(join(directory, path), 'base64')]),
  )
}
