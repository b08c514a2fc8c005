import { execFileSync } from 'node:child_process'
import { defineConfig } from 'vitest/config'

const runsContainers = process.env['CI'] === 'true' || hasEngine()
if (!runsContainers) process.stderr.write('devcloud: no container engine answers: the tests in *.docker.test.ts are not run.\n')

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: runsContainers ? [] : ['test/**/*.docker.test.ts'],
    globalSetup: runsContainers ? ['test/base-images.ts'] : [],
    testTimeout: 60_000,
    hookTimeout: 180_000,
    maxWorkers: 2,
  },
})

function hasEngine(): boolean {
  try {
    execFileSync('docker', ['version', '--format', '{{.Server.Version}}'], { stdio: ['ignore', 'ignore', 'ignore'], timeout: 10_000 })
    return true
  } catch {
    return false
  }
}
