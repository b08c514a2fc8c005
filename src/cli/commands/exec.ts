import type { Command } from 'commander'
import { CloudError } from '../../base/cloud-error.ts'
import type { ExecEvent, ExecRequest } from '../../daemon/control-protocol.ts'
import { connectDaemon } from '../control-client.ts'
import { findProject, findService } from '../find-project.ts'

interface ExecOptions {
  readonly project?: string
  readonly json?: true
}

export function addExec(program: Command): void {
  const add = (name: string, description: string, oneOff: boolean) =>
    program
      .command(name)
      .description(description)
      .argument('<words...>', 'the service (may be left out when there is one), then -- and the command')
      .option('-p, --project <id>', 'instead of the project of this folder')
      .option('--json', 'output and exit code as JSON, one event a line')
      .action((words: readonly string[], options: ExecOptions, command: Command) => exec(words, options, oneOff, command))
  add('run', 'run a command to its end in a new instance of a service: devcloud run web -- npm run migrate', true)
  add('exec', 'run a command inside a running instance: devcloud exec web -- sh -c env', false)
}

async function exec(words: readonly string[], options: ExecOptions, oneOff: boolean, { parent }: Command): Promise<void> {
  const client = await connectDaemon()
  const { id, services } = await findProject(client, options.project)
  const named = services.some((service) => service.id === words[0]) ? words[0] : undefined
  const service = findService(services, named)
  const command = named === undefined ? words : words.slice(1)
  if (command.length === 0) {
    throw new CloudError('INVALID_ARGUMENT', 'There is no command.', `devcloud ${parent?.args[0] ?? 'run'} ${service.id} -- COMMAND`, {
      fault: 'USAGE',
    })
  }
  const request: ExecRequest = { project: id, service: service.id, command, oneOff }
  await client.stream<ExecEvent>('/exec', request, (event) => {
    if (options.json === true) process.stdout.write(`${JSON.stringify(event)}\n`)
    else if (event.kind === 'output') process[event.stream].write(Buffer.from(event.data, 'base64'))
    if (event.kind === 'exit') process.exitCode = event.code
  })
}
