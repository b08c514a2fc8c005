import type { Command } from 'commander'
import type { DoctorAnswer } from '../../daemon/control-protocol.ts'
import { connectDaemon } from '../control-client.ts'
import { openOutput } from '../output.ts'

export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description('look at what devcloud needs: engine, ports, disk, names')
    .option('--json', 'as JSON')
    .action(async (options: { readonly json?: true }) => {
      const { checks } = await (await connectDaemon()).get<DoctorAnswer>('/doctor')
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
