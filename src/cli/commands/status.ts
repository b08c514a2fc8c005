import type { Command } from 'commander'
import { shellWord } from '../../base/shell-word.ts'
import type { StatusAnswer } from '../../daemon/control-protocol.ts'
import { connectDaemon } from '../control-client.ts'
import { openOutput } from '../output.ts'

export function addStatus(program: Command): void {
  program
    .command('status')
    .description('list projects with what is in them')
    .option('--json', 'print JSON')
    .action(async (options: { readonly json?: true }) => {
      const answer = await (await connectDaemon()).get<StatusAnswer>('/status')
      openOutput(options).result(answer, () => [daemonLine(answer), ...answer.projects.map(projectText)].join('\n'))
    })
}

function daemonLine({ daemon }: StatusAnswer): string {
  return `devcloud ${daemon.version} · pid ${daemon.pid} · since ${new Date(daemon.startedMs).toLocaleString()} · ${daemon.stateDirectory}`
}

function projectText(project: StatusAnswer['projects'][number]): string {
  return [
    '',
    project.problem === undefined
      ? `${project.id}  ${project.engine} engine  ${project.directory}`
      : `${JSON.stringify(project.id)}  cannot be read: ${project.problem} To remove it: devcloud clean --project ${shellWord(project.id)}`,
    ...project.resources.map(resourceLine),
  ].join('\n')
}

function resourceLine({ kind, id, state, url, detail }: StatusAnswer['projects'][number]['resources'][number]): string {
  const about = `${(state ?? '').padEnd(10)} ${url ?? detail ?? ''}`
  return `  ${kind.padEnd(8)} ${id.padEnd(20)} ${about}`.trimEnd()
}
