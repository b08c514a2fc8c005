import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import type { DoctorAnswer } from '../../daemon/control-protocol.ts'
import { connectDaemon } from '../control-client.ts'
import { openOutput } from '../output.ts'
import { checkShell, type ShellFacts } from '../shell-checks.ts'

export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description('check what devcloud needs (engine, ports, disk, names), and what in this shell does not reach devcloud')
    .option('--json', 'print JSON')
    .action(async (options: { readonly json?: true }) => {
      const { checks: ofDaemon } = await (await connectDaemon()).get<DoctorAnswer>('/doctor')
      const checks = [...ofDaemon, ...checkShell(shellFacts())]
      const marks = { ok: '✔', warning: '⚠', failed: '✗' } as const
      openOutput(options).result(checks, () =>
        checks
          .flatMap(({ name, state, detail, fix }) => [
            `${marks[state]} ${name.padEnd(12)} ${detail}`,
            ...(fix === undefined || state === 'ok' ? [] : [`  → ${fix}`]),
          ])
          .join('\n'),
      )
      if (checks.some(({ state }) => state === 'failed')) process.exitCode = 1
    })
}

function shellFacts(): ShellFacts {
  const login = join(homedir(), '.config/gcloud/application_default_credentials.json')
  const node = spawnSync('node', ['--version'], { encoding: 'utf8', env: { PATH: process.env['PATH'] }, timeout: 5000 })
  return {
    env: process.env,
    nodeVersion: node.status === 0 ? node.stdout.trim() : undefined,
    loginPath: existsSync(login) ? login : undefined,
  }
}
