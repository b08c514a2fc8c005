import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const skipped = new Set(['node_modules', '.git', '.venv', '__pycache__'])

/** `path size mtime` of each file below `directory`, without dependencies; links are not followed, and 20,000 files are enough. */
export function listFiles(directory: string): string[] {
  const lines: string[] = []
  const visit = (below: string) => {
    for (const entry of readdirSync(join(directory, below), { withFileTypes: true })) {
      if (skipped.has(entry.name) || lines.length > 20_000) continue
      const path = join(below, entry.name)
      if (entry.isDirectory()) visit(path)
      else if (entry.isFile()) {
        const { size, mtimeMs } = lstatSync(join(directory, path))
        lines.push(`${path} ${size} ${mtimeMs}`)
      }
    }
  }
  visit('')
  return lines.toSorted()
}
