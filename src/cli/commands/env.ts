import type { Command } from 'commander'
import type { EnvAnswer } from '../../daemon/control-protocol.ts'
import { toShellLines } from '../../gateway/environment.ts'
import { connectDaemon } from '../control-client.ts'
import { findProject } from '../find-project.ts'
import { openOutput } from '../output.ts'

export function addEnv(program: Command): void {
  program
    .command('env')
    .description('variables with which gcloud, Terraform and client libraries of this shell meet devcloud: eval "$(devcloud env)"')
    .option('--endpoints', 'endpoints instead of a proxy, for tools that take one')
    .option('-p, --project <id>', 'instead of the project of this folder')
    .option('--json', 'as JSON')
    .action(async (options: { readonly endpoints?: true; readonly project?: string; readonly json?: true }) => {
      const client = await connectDaemon()
      const { id } = await findProject(client, options.project)
      const query = new URLSearchParams({ project: id, endpoints: String(options.endpoints === true) })
      const { variables } = await client.get<EnvAnswer>(`/env?${query}`)
      openOutput(options).result(variables, () => toShellLines(variables))
    })
}
