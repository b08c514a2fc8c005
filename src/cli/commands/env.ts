import { delimiter } from 'node:path'
import type { Command } from 'commander'
import { CloudError } from '../../base/cloud-error.ts'
import { withOptions } from '../../base/join-options.ts'
import type { EnvAnswer } from '../../daemon/control-protocol.ts'
import { toShellLines } from '../../gateway/environment.ts'
import { connectDaemon, type ControlClient } from '../control-client.ts'
import { findProject } from '../find-project.ts'
import { openOutput } from '../output.ts'

export function addEnv(program: Command): void {
  program
    .command('env')
    .description('print variables that lead gcloud, Terraform and client libraries of this shell to devcloud: eval "$(devcloud env)"')
    .option('--endpoints', 'set endpoints instead of a proxy, for tools that take an endpoint')
    .option('--open', "let the proxy also lead to hosts that are not Google's")
    .option('-p, --project <id>', 'the project; default: the project of this folder')
    .option('--json', 'print JSON')
    .action(async (options: EnvOptions) => {
      const client = await connectDaemon()
      const query = new URLSearchParams({
        project: await projectOf(client, options.project),
        endpoints: String(options.endpoints === true),
        open: String(options.open === true),
      })
      const { variables } = await client.get<EnvAnswer>(`/env?${query}`)
      openOutput(options).result(variables, () => toShellLines(keepOwnOptions(variables)))
    })
}

/** Keeps the options that this shell has set for JVMs, Node and Python. */
function keepOwnOptions({ PYTHONPATH, ...variables }: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const options = Object.fromEntries(Object.entries(variables).filter(([name]) => name.endsWith('_OPTIONS')))
  const others = Object.fromEntries(Object.entries(variables).filter(([name]) => !name.endsWith('_OPTIONS')))
  const folders = [
    ...(process.env['PYTHONPATH'] ?? '').split(delimiter).filter((folder) => folder !== '' && folder !== PYTHONPATH),
    PYTHONPATH,
  ]
  return { ...withOptions(others, options, process.env), ...(PYTHONPATH !== undefined && { PYTHONPATH: folders.join(delimiter) }) }
}

interface EnvOptions {
  readonly endpoints?: true
  readonly open?: true
  readonly project?: string
  readonly json?: true
}

/** The text that a shell evaluates when `devcloud env` fails. It ends a `&&` and a script with `set -e`, and sets no variable. */
export const failedEnv = 'false\n'

/** The project for a folder. A folder without a project gets variables too, so that commands there do not reach the real cloud. */
async function projectOf(client: ControlClient, named: string | undefined): Promise<string> {
  try {
    return (await findProject(client, named)).id
  } catch (error) {
    if (named !== undefined || !(error instanceof CloudError) || error.fault !== 'NO_PROJECT') throw error
    return process.env['CLOUDSDK_CORE_PROJECT'] || process.env['GOOGLE_CLOUD_PROJECT'] || 'devcloud-local'
  }
}
