import type { Command } from 'commander'
import { CloudError } from '../../base/cloud-error.ts'
import type { ExecEvent, ExecRequest } from '../../daemon/control-protocol.ts'
import { connectDaemon } from '../control-client.ts'
import { findProject, findService, servicesOf } from '../find-project.ts'

interface ExecOptions {
  readonly project?: string
  readonly json?: true
  readonly once?: true
}

/** `devcloud exec`. With `--once` it is what `devcloud run SERVICE -- COMMAND` does, also for a service that is named like a command of `run`. */
export function addExec(program: Command): void {
  addOptions(program.command('exec'))
    .description('run a command inside a running instance: devcloud exec web -- sh -c env')
    .option('--once', 'in a new instance that ends with the command, as devcloud run does')
    .action((words: readonly string[], options: ExecOptions) => exec(words, options, options.once === true))
}

/** `devcloud run SERVICE -- COMMAND`. @returns the command, for Cloud Run's own commands below it */
export function addOneOff(program: Command): Command {
  return addOptions(program.command('run'))
    .description(
      'run a command to its end in a new instance of a service (devcloud run web -- npm run migrate), or a command of gcloud run',
    )
    .action((words: readonly string[], options: ExecOptions) => exec(words, options, true))
}

function addOptions(command: Command): Command {
  return command
    .argument('<words...>', 'the service (may be left out when there is one), then -- and the command')
    .option('-p, --project <id>', 'instead of the project of this folder')
    .option('--json', 'output and exit code as JSON, one event a line')
}

async function exec(words: readonly string[], options: ExecOptions, oneOff: boolean): Promise<void> {
  const client = await connectDaemon()
  const project = await findProject(client, options.project)
  const named = servicesOf(project).some((service) => service.id === words[0]) || standsBeforeDashes(words[0]) ? words[0] : undefined
  const service = findService(project, named)
  const command = named === undefined ? words : words.slice(1)
  if (command.length === 0) {
    throw new CloudError('INVALID_ARGUMENT', 'There is no command.', `devcloud ${oneOff ? 'run' : 'exec'} ${service.id} -- COMMAND`, {
      fault: 'USAGE',
    })
  }
  const request: ExecRequest = { project: project.id, service: service.id, command, oneOff }
  await client.stream<ExecEvent>('/exec', request, (event) => {
    if (options.json === true) process.stdout.write(`${JSON.stringify(event)}\n`)
    else if (event.kind === 'output') process[event.stream].write(Buffer.from(event.data, 'base64'))
    if (event.kind === 'exit') process.exitCode = event.code
  })
}

/** `web -- ls` names a service, be there one or not; `ls -l` is a command for the only one. The parser drops the dashes. */
function standsBeforeDashes(word: string | undefined): boolean {
  return word !== undefined && process.argv[process.argv.indexOf('--') - 1] === word
}
