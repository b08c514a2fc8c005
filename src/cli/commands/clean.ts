import { createInterface } from 'node:readline/promises'
import type { Command } from 'commander'
import { CloudError } from '../../base/cloud-error.ts'
import { shellWord } from '../../base/shell-word.ts'
import type { CleanRequest, UpEvent } from '../../daemon/control-protocol.ts'
import { connectDaemon } from '../control-client.ts'
import { findProjectHere } from '../find-project.ts'
import { openOutput } from '../output.ts'

interface CleanOptions {
  readonly project?: string
  readonly all?: true
  readonly yes?: true
  readonly json?: true
}

export function addClean(program: Command): void {
  program
    .command('clean')
    .description('remove a project with everything in it: containers, networks, databases, buckets, secrets, accounts, logs')
    .option('-p, --project <id>', 'the project; default: the project of this folder')
    .option('--all', 'every project')
    .option('-y, --yes', 'do not ask')
    .option('--json', 'print events as JSON, one per line')
    .action(async (options: CleanOptions) => {
      const output = openOutput(options)
      const client = await connectDaemon()
      const request: CleanRequest =
        options.all === true ? { all: true } : { project: options.project ?? (await findProjectHere(client)).id }
      const words = 'project' in request ? ['clean', '--project', request.project] : ['clean', '--all']
      const what = 'project' in request ? `project ${request.project}` : 'every project'
      if (options.yes !== true) await confirm(what, `devcloud ${[...words, '--yes'].map(shellWord).join(' ')}`)
      await client.stream<UpEvent>('/clean', request, (event) => output.step(event))
    })
}

/** @param command the same command with --yes. It names the project, since people may type it in the folder of another project */
async function confirm(what: string, command: string): Promise<void> {
  const refused = new CloudError('CANCELLED', `The data of ${what} would be gone.`, command, { fault: 'USAGE' })
  if (process.stdin.isTTY !== true) throw refused
  using terminal = createInterface({ input: process.stdin, output: process.stderr })
  const answer = await terminal.question(`Remove ${what} with all its data? [y/N] `)
  if (!/^y(es)?$/i.test(answer.trim())) throw refused
}
