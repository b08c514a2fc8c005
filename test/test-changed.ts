// `npm run test:changed -- [ARGS OF VITEST]`: runs the tests of the rooms that differ from main, committed or not.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/**
 * Which tests belong to changed files: those of the file's room, by its folder in `test/`; a product is a room. Pure.
 * @param paths from the repository's root: `src/products/run/needs.ts`
 * @returns folders and files for vitest, sorted, and the paths that are of no room
 */
export function testsOf(paths: readonly string[]): { readonly tests: readonly string[]; readonly roomless: readonly string[] } {
  const found = paths.map((path) => ({ path, test: testOf(path) }))
  const tests = [...new Set(found.flatMap(({ test }) => test ?? []))].toSorted()
  return {
    tests: tests.filter((test) => !tests.some((other) => other !== test && test.startsWith(other))),
    roomless: found.filter(({ test }) => test === undefined).map(({ path }) => path),
  }
}

function testOf(path: string): string | undefined {
  if (path.endsWith('.test.ts')) return path
  const room = /^(?:src|test)\/((?:products\/)?[^/]+)\//.exec(path)?.[1] ?? /^(examples)\//.exec(path)?.[1]
  return room === undefined ? undefined : `test/${room}/`
}

function changedPaths(): string[] {
  const git = (...args: readonly string[]) => execFileSync('git', args, { encoding: 'utf8' }).split('\0').filter(Boolean)
  const base = execFileSync('git', ['merge-base', 'main', 'HEAD'], { encoding: 'utf8' }).trim()
  return [...git('diff', '--name-only', '-z', base), ...git('ls-files', '--others', '--exclude-standard', '-z')]
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { tests, roomless } = testsOf(changedPaths())
  const there = tests.filter((path) => existsSync(path))
  if (roomless.length > 0) process.stderr.write(`Of no room, so that npm test alone tells: ${roomless.join(', ')}\n`)
  if (there.length === 0) process.stderr.write('No room with tests differs from main.\n')
  else process.exitCode = spawnSync('vitest', ['run', ...there, ...process.argv.slice(2)], { stdio: 'inherit' }).status ?? 1
}
