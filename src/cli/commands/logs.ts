import { InvalidArgumentError, type Command } from 'commander'
import { connectDaemon } from '../control-client.ts'
import { findProject } from '../find-project.ts'
import { openOutput } from '../output.ts'
import { printLogs } from '../print-logs.ts'

interface LogsOptions {
  readonly project?: string
  readonly follow?: true
  readonly tail: number
  readonly json?: true
}

export function addLogs(program: Command): void {
  program
    .command('logs')
    .description('print the output of services and the requests that they answer')
    .argument('[service]', 'one service; default: all')
    .option('-f, --follow', 'go on with new lines')
    .option('-n, --tail <lines>', 'the number of past lines', readCount, 100)
    .option('-p, --project <id>', 'the project; default: the project of this folder')
    .option('--json', 'print one JSON object per line')
    .action(async (service: string | undefined, options: LogsOptions) => {
      const output = openOutput(options)
      const client = await connectDaemon()
      const { id } = await findProject(client, options.project)
      const query = new URLSearchParams({
        project: id,
        tail: String(options.tail),
        follow: String(options.follow === true),
        ...(service !== undefined && { service }),
      })
      await printLogs(client, query, output)
    })
}

function readCount(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('Write a number of lines.')
  return Number(text)
}
