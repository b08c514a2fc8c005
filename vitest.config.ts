import { execFileSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'
import { SlowestReporter } from './test/slowest-reporter.ts'

// Tests start some thousand processes of ours: what Node made of a source once, the next process takes.
process.env['NODE_COMPILE_CACHE'] ??= join(tmpdir(), 'devcloud-test-compile-cache')

const isCi = process.env['CI'] === 'true'
const runsContainers = isCi || hasEngine()
const runsPodman = isCi || (process.getuid?.() === 0 && hasPodman())
if (!runsContainers) process.stderr.write('devcloud: no container engine answers: the tests in *.docker.test.ts are not run.\n')
if (!runsPodman) process.stderr.write('devcloud: this user cannot start a Podman of its own: the tests in *.podman.test.ts are not run.\n')

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [...(runsContainers ? [] : ['test/**/*.docker.test.ts']), ...(runsPodman ? [] : ['test/**/*.podman.test.ts'])],
    globalSetup: runsContainers ? ['test/base-images.ts'] : [],
    reporters: [new SlowestReporter(), 'default'], // what failed is told last,
    testTimeout: 60_000,
    hookTimeout: 180_000,
    maxWorkers: 2,
    retry: isCi ? 1 : 0, // real processes on a busy machine: what fails twice is a fault, and the reporter names what failed once
  },
})

function hasEngine(): boolean {
  return succeeds('docker', ['version', '--format', '{{.Server.Version}}'])
}

function hasPodman(): boolean {
  return succeeds('podman', ['--version'])
}

function succeeds(command: string, args: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore', timeout: 10_000 })
    return true
  } catch {
    return false
  }
}
