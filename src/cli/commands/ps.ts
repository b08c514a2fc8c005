import type { Command } from 'commander'
import type { PsAnswer } from '../../daemon/control-protocol.ts'
import { connectDaemon } from '../control-client.ts'
import { openOutput } from '../output.ts'
import { table } from '../table.ts'

/** The instances of a service for people: `1 active, 2 paused`, or `0`. */
function instancesText(instances: PsAnswer['services'][number]['instances']): string {
  const counts = new Map<string, number>()
  for (const { state } of instances) counts.set(state, (counts.get(state) ?? 0) + 1)
  return counts.size === 0 ? '0' : [...counts].map(([state, count]) => `${count} ${state}`).join(', ')
}

export function addPs(program: Command): void {
  program
    .command('ps')
    .description('list services and their instances')
    .option('-p, --project <id>', 'one project; default: all')
    .option('--json', 'print JSON')
    .action(async (options: { readonly project?: string; readonly json?: true }) => {
      const query = options.project === undefined ? '' : `?project=${encodeURIComponent(options.project)}`
      const answer = await (await connectDaemon()).get<PsAnswer>(`/ps${query}`)
      openOutput(options).result(answer, () =>
        answer.services.length === 0
          ? 'No services. devcloud up makes some.'
          : table(
              ['PROJECT', 'SERVICE', 'REVISION', 'STATE', 'INSTANCES', 'IN FLIGHT', 'URL'],
              answer.services.map(({ project, service, revision, state, instances, url }) => [
                project,
                service,
                revision,
                state,
                instancesText(instances),
                String(instances.reduce((sum, { inFlight }) => sum + inFlight, 0)),
                url,
              ]),
            ),
      )
    })
}
