import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { controlActions } from '../../../src/daemon/actions.ts'
import type { EnvAnswer } from '../../../src/daemon/control-protocol.ts'
import type { Ran } from '../../cli/given-cli.ts'
import type { GivenRun } from './given-run.ts'

/** Real gcloud, led to the house of `run` by the variables of `devcloud env`. */
export interface GivenGcloud extends Disposable {
  /** An empty folder to work in. */
  readonly directory: string
  /** Runs `gcloud ARGS --quiet` to its end, whatever it answers. */
  run(...args: readonly string[]): Promise<Ran>
  /** The same for what must succeed. @returns its stdout, trimmed */
  stdoutOf(...args: readonly string[]): Promise<string>
}

export async function givenGcloud(run: GivenRun): Promise<GivenGcloud> {
  const directory = mkdtempSync(join(tmpdir(), 'dc-gcloud-'))
  const answer = await controlActions(run.house, () => {}).get['/env']?.({ project: run.project })
  const { variables } = answer as EnvAnswer
  const env = { PATH: process.env['PATH'], LANG: 'C.UTF-8', HOME: directory, ...variables }
  const gcloud: GivenGcloud['run'] = (...args) =>
    new Promise((resolve) => {
      const child = execFile('gcloud', [...args, '--quiet'], { cwd: directory, env, timeout: 100_000 }, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1
        resolve({ code, stdout, stderr: code === -1 ? `${String(error)}\n${stderr}` : stderr })
      })
      child.stdin?.end()
    })
  return {
    directory,
    run: gcloud,
    async stdoutOf(...args) {
      const { code, stdout, stderr } = await gcloud(...args)
      expect(code, `gcloud ${args.join(' ')}\n${stderr}`).toBe(0)
      return stdout.trim()
    },
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  }
}
