import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const project = fileURLToPath(new URL('programs/java', import.meta.url))
const copyDependencies = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies'

/**
 * The class path of programs/java: Google's clients by Maven (half a minute, ten seconds where its cache has them) and our cases by javac, made once on
 * this machine while tests are collected. Where that does not work its tests are not run, and that is said by name; with CI=true it throws.
 */
export function javaClassPath(): string | undefined {
  const sources = readdirSync(join(project, 'src')).map((file) => join(project, 'src', file))
  const libraries = making('lib', [join(project, 'pom.xml')], (directory) => [
    ['mvn', '-q', '-B', '-f', join(project, 'pom.xml'), copyDependencies, '-DincludeScope=runtime', `-DoutputDirectory=${directory}`],
  ])
  if (libraries === undefined) return undefined
  const classes = making('classes', [join(project, 'pom.xml'), ...sources], (directory) => [
    ['javac', '-encoding', 'UTF-8', '-cp', join(libraries, '*'), '-d', directory, ...sources],
  ])
  return classes === undefined ? undefined : `${join(libraries, '*')}:${classes}`
}

/** A folder that is made by `steps` when none was made from the same `inputs`. */
function making(kind: string, inputs: readonly string[], steps: (directory: string) => readonly (readonly string[])[]): string | undefined {
  const hash = createHash('sha256')
  for (const path of inputs) hash.update(readFileSync(path))
  const made = join(tmpdir(), `devcloud-test-java-${kind}-${hash.digest('hex').slice(0, 16)}`)
  if (existsSync(made)) return made
  const fresh = `${made}.${process.pid}`
  for (const [program = '', ...args] of steps(fresh)) {
    const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8', timeout: 300_000 })
    if (status === 0) continue
    rmSync(fresh, { recursive: true, force: true })
    const words = `devcloud: no Google clients for Java: the Java tests in test/clients are not run.\n${error?.message ?? stdout + stderr}\n`
    if (process.env['CI'] === 'true') throw new Error(words)
    process.stderr.write(words)
    return undefined
  }
  if (!existsSync(made)) renameSync(fresh, made)
  return made
}
