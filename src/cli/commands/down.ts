import type { Command } from 'commander'
import type { UpEvent } from '../../daemon/control-protocol.ts'
import { findDaemon } from '../control-client.ts'
import { findProject } from '../find-project.ts'
import { openOutput } from '../output.ts'

export function addDown(program: Command): void {
  program
    .command('down')
    .description('stop the instances and databases of a project; its data stays')
    .option('-p, --project <id>', 'the project; default: the project of this folder')
    .option('--json', 'print events as JSON, one per line')
    .action(async (options: { readonly project?: string; readonly json?: true }) => {
      const output = openOutput(options)
      const client = await findDaemon()
      if (client === undefined) return output.note('Nothing runs: there is no daemon.')
      const { id } = await findProject(client, options.project)
      await client.stream<UpEvent>('/down', { project: id }, (event) => output.step(event))
    })
}
