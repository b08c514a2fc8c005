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
    .description('variables with which gcloud, Terraform and client libraries of this shell meet devcloud: eval "$(devcloud env)"')
    .option('--endpoints', 'endpoints instead of a proxy, for tools that take one')
    .option('--open', "the proxy also leads to hosts that are not Google's")
    .option('-p, --project <id>', 'instead of the project of this folder')
    .option('--json', 'as JSON')
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

/** What this shell has told its JVMs, Node and Python stays. */
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

/** What a shell evaluates when `devcloud env` fails: it ends a `&&` and a script with `set -e`, and sets nothing. */
export const failedEnv = 'false\n'

/** A folder without a project is led here as well: what is typed there must not reach the real cloud. */
async function projectOf(client: ControlClient, named: string | undefined): Promise<string> {
  try {
    return (await findProject(client, named)).id
  } catch (error) {
    if (named !== undefined || !(error instanceof CloudError) || error.fault !== 'NO_PROJECT') throw error
    return process.env['CLOUDSDK_CORE_PROJECT'] || process.env['GOOGLE_CLOUD_PROJECT'] || 'devcloud-local'
  }
}
