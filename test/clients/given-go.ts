import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeOnce } from './make-once.ts'

const project = fileURLToPath(new URL('programs/go', import.meta.url))

/** programs/go, built: seconds where Go's cache has Google's clients, two minutes where it does not. @returns undefined where that does not work */
export function goProgram(): string | undefined {
  const inputs = readdirSync(project).map((file) => join(project, file))
  return makeOnce('go-clients', inputs, (path) => [['go', 'build', '-o', path, '.']], project)
}
