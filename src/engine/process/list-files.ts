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
        const stat = lstatSync(join(directory, path), { throwIfNoEntry: false }) // none: it is gone, or its name is not UTF-8
        if (stat !== undefined) lines.push(`${path} ${stat.size} ${stat.mtimeMs}`)
      }
    }
  }
  visit('')
  return lines.toSorted()
}
