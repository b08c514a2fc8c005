import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * What `steps` make of `inputs` at the path that they are given, made once on this machine while tests are collected. Where that does not work the
 * tests of it are not run, and that is said by name; with CI=true it throws.
 */
export function makeOnce(
  kind: string,
  inputs: readonly string[],
  steps: (path: string) => readonly (readonly string[])[],
  directory?: string,
): string | undefined {
  const hash = createHash('sha256')
  for (const path of inputs) hash.update(readFileSync(path))
  const made = join(tmpdir(), `devcloud-test-${kind}-${hash.digest('hex').slice(0, 16)}`)
  if (existsSync(made)) return made
  const fresh = `${made}.${process.pid}`
  for (const [program = '', ...args] of steps(fresh)) {
    const { status, stdout, stderr, error } = spawnSync(program, args, { cwd: directory, encoding: 'utf8', timeout: 600_000 })
    if (status === 0) continue
    rmSync(fresh, { recursive: true, force: true })
    const words = `devcloud: ${program} does not make ${kind}: its tests in test/clients are not run.\n${error?.message ?? stdout + stderr}\n`
    if (process.env['CI'] === 'true') throw new Error(words)
    process.stderr.write(words)
    return undefined
  }
  if (!existsSync(made)) renameSync(fresh, made)
  return made
}
