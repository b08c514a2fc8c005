import { InvalidArgumentError, type Command } from 'commander'
import { openOutput } from '../../output.ts'
import { printLogs } from '../../print-logs.ts'
import type { ResourceKind } from './resource-kinds.ts'
import { addWideOptions, openScope, type WideOptions } from './scope.ts'

interface LogOptions extends WideOptions {
  readonly limit: number
  readonly order?: 'asc' | 'desc'
}

/** `logs read` and `logs tail` of one service, job or worker pool. */
export function addLogs(group: Command, { argument: kind }: ResourceKind): void {
  const logs = group.command('logs').description(`what a ${kind} printed`)
  addWideOptions(logs.command('read').description('what was printed, oldest first'))
    .argument(`<${kind}>`, 'its name')
    .option('--limit <count>', 'lines', readCount, 100)
    .action((id: string, options: LogOptions) => read(id, options, false))
  addWideOptions(logs.command('tail').description('what is printed from now on'))
    .argument(`<${kind}>`, 'its name')
    .action((id: string, options: LogOptions) => read(id, { ...options, limit: 0 }, true))
}

async function read(id: string, options: LogOptions, follow: boolean): Promise<void> {
  const { client, project } = await openScope(options)
  const output = openOutput({ json: options.json === true || options.format === 'json' })
  const query = new URLSearchParams({ project, service: id, tail: String(options.limit), follow: String(follow) })
  await printLogs(client, query, output)
}

function readCount(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Write a number of lines.')
}
