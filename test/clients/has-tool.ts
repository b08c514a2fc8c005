import { spawnSync } from 'node:child_process'

/**
 * Whether a program of this machine answers, asked once while tests are collected. Where it is absent its tests are not run, and that is said by
 * name; with CI=true they run, and fail.
 */
export function hasTool(name: string, args: readonly string[] = ['--version']): boolean {
  if (process.env['CI'] === 'true' || spawnSync(name, args, { stdio: 'ignore', timeout: 30_000 }).status === 0) return true
  process.stderr.write(`devcloud: ${name} does not answer: its tests in test/clients are not run.\n`)
  return false
}
