import { cpSync, mkdtempSync, realpathSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** An example in a folder of its own, as someone has it who has just cloned it. @returns its path */
export function copyExample(name: string): string {
  const folder = join(realpathSync(mkdtempSync(join(tmpdir(), `${name}-`))), name)
  const source = fileURLToPath(new URL(`../../examples/${name}`, import.meta.url))
  cpSync(source, folder, { recursive: true, filter: (path) => !path.endsWith('/node_modules') })
  return folder
}
