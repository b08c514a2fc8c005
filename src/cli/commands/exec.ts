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

/** Adds `devcloud exec`. `--once` does what `devcloud run SERVICE -- COMMAND` does, also for a service that is named like a command of `run`. */
export function addExec(program: Command): void {
  addOptions(program.command('exec'))
    .description('run a command inside a running instance: devcloud exec web -- sh -c env')
    .option('--once', 'use a new instance that ends with the command, as devcloud run does')
    .action((words: readonly string[], options: ExecOptions) => exec(words, options, options.once === true))
}

/** Adds `devcloud run SERVICE -- COMMAND`. @returns the command, to which Cloud Run's own commands are added */
export function addOneOff(program: Command): Command {
  return addOptions(program.command('run'))
    .description(
      'run a command to its end in a new instance of a service (devcloud run web -- npm run migrate), or a command of gcloud run',
    )
    .action((words: readonly string[], options: ExecOptions) => exec(words, options, true))
}

function addOptions(command: Command): Command {
  return command
    .argument('<words...>', 'the service (optional when the project has one), then -- and the command')
    .option('-p, --project <id>', 'the project; default: the project of this folder')
    .option('--json', 'print output and exit code as JSON, one event per line')
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

/** `web -- ls` names a service, whether it exists or not. `ls -l` is a command for the only service. The parser has removed the `--`. */
function standsBeforeDashes(word: string | undefined): boolean {
  return word !== undefined && process.argv[process.argv.indexOf('--') - 1] === word
}
