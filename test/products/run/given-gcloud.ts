import { execFile, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
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

/**
 * @param options.endpoints led by `devcloud env --endpoints` instead, in a mount namespace of its own whose /etc/hosts has the names that
 * systemd-resolved would resolve: that takes root on Linux
 */
export async function givenGcloud(run: GivenRun, options: { readonly endpoints?: boolean } = {}): Promise<GivenGcloud> {
  const directory = mkdtempSync(join(tmpdir(), 'dc-gcloud-'))
  const answer = await controlActions(run.house, () => {}).get['/env']?.({
    project: run.project,
    endpoints: String(options.endpoints === true),
  })
  const { variables } = answer as EnvAnswer
  const env = { PATH: process.env['PATH'], LANG: 'C.UTF-8', HOME: directory, ...variables }
  const hosts = join(directory, 'hosts')
  writeFileSync(hosts, '127.0.0.1 localhost run.localhost us-central1-run.localhost\n')
  const isolated = ['-m', 'sh', '-c', 'mount --bind "$0" /etc/hosts && exec gcloud "$@"', hosts]
  const [program, first] = options.endpoints === true ? (['unshare', isolated] as const) : (['gcloud', []] as const)
  const more = options.endpoints === true ? ['--quiet', `--project=${run.project}`, '--region=us-central1'] : ['--quiet']
  const gcloud: GivenGcloud['run'] = (...args) =>
    new Promise((resolve) => {
      const child = execFile(program, [...first, ...args, ...more], { cwd: directory, env, timeout: 100_000 }, (error, stdout, stderr) => {
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

/** Whether this machine lets a process have an /etc/hosts of its own. */
export function canIsolate(): boolean {
  return spawnSync('unshare', ['-m', 'true']).status === 0
}
