import { spawnSync } from 'node:child_process'
import { existsSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const packages = [
  'google-cloud-storage==3.17.1',
  'google-cloud-secret-manager==2.32.0',
  'google-cloud-run==0.16.2',
  'google-api-python-client==2.187.0',
  'requests',
]

/**
 * A Python with Google's clients, made once on this machine by venv and pip (ten seconds) while tests are collected. Where that does not work its
 * tests are not run, and that is said by name; with CI=true it throws.
 */
export function pythonWithClients(): string | undefined {
  const made = join(tmpdir(), `devcloud-test-python-${packages.join('-').replaceAll(/[^\w.-]/g, '')}`)
  const python = join(made, 'bin', 'python')
  if (existsSync(python)) return python
  const fresh = `${made}.${process.pid}`
  const steps = [
    ['python3', '-m', 'venv', fresh],
    [join(fresh, 'bin', 'python'), '-m', 'pip', 'install', '-q', '--disable-pip-version-check', ...packages],
  ]
  for (const [program = '', ...args] of steps) {
    const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8', timeout: 120_000 })
    if (status === 0) continue
    rmSync(fresh, { recursive: true, force: true })
    const words = `devcloud: no Python with Google's clients: the Python tests in test/clients are not run.\n${error?.message ?? stderr}\n`
    if (process.env['CI'] === 'true') throw new Error(words)
    process.stderr.write(words)
    return undefined
  }
  if (!existsSync(made)) renameSync(fresh, made)
  return python
}
