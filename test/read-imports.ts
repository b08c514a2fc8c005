import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The files of a folder and what each one imports, both below the folder: `api/names.ts`. */
export type Imports = ReadonlyMap<string, readonly string[]>

/** Every import of TypeScript files below `folder`, types included; generated code is not read. @throws Error for an import of no file */
export function readImports(folder: string): Imports {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts') && !isGenerated(file))
  return new Map(files.map((file) => [file, importsOf(folder, file)]))
}

function importsOf(folder: string, file: string): readonly string[] {
  return pathsIn(readFileSync(join(folder, file), 'utf8')).map((path) => {
    const imported = join(dirname(file), path)
    if (!isGenerated(imported) && !existsSync(join(folder, imported))) throw new Error(`${file} imports ${imported}, which is no file`)
    return imported
  })
}

/** The relative paths that a file's text imports. */
export function pathsIn(text: string): readonly string[] {
  return Array.from(text.matchAll(specifier), ([, path = '']) => path)
}

/** `import … from './a.ts'`, `export … from`, `import './a.ts'`, `import('./a.ts')`, of values and of types, and `new URL('./a.ts'` of a thread. */
const specifier = /(?:\bfrom |\bimport |\bimport\(|\bnew URL\()'(\.[^']+\.ts)'/g

function isGenerated(file: string): boolean {
  return file.startsWith('api/gen/')
}

/** Every group of files that import one another in a circle, as `a.ts > b.ts > a.ts`: one shortest circle a group. */
export function circlesIn(imports: Imports): readonly string[] {
  const found: string[] = []
  const told = new Set<string>()
  for (const file of imports.keys()) {
    if (told.has(file)) continue
    const circle = shortestCircle(imports, file)
    if (circle === undefined || circle.some((member) => told.has(member))) continue
    for (const member of circle) told.add(member)
    found.push([...circle, file].join(' > '))
  }
  return found
}

/** From the file back to itself, by the fewest imports. */
function shortestCircle(imports: Imports, start: string): readonly string[] | undefined {
  const paths: (readonly string[])[] = [[start]]
  const seen = new Set<string>()
  for (const path of paths) {
    for (const next of imports.get(path.at(-1) ?? '') ?? []) {
      if (next === start) return path
      if (seen.has(next)) continue
      seen.add(next)
      paths.push([...path, next])
    }
  }
  return undefined
}
