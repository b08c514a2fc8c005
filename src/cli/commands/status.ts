import type { Command } from 'commander'
import type { StatusAnswer } from '../../daemon/control-protocol.ts'
import { connectDaemon } from '../control-client.ts'
import { openOutput } from '../output.ts'

export function addStatus(program: Command): void {
  program
    .command('status')
    .description('projects with their services, jobs, databases, buckets and secrets')
    .option('--json', 'as JSON')
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
      : `${JSON.stringify(project.id)}  cannot be read: ${project.problem} To remove it: devcloud clean --project ${inQuotes(project.id)}`,
    ...project.services.map(({ id, state, url }) => `  service  ${id.padEnd(20)} ${state.padEnd(10)} ${url}`),
    ...project.jobs.map((job) => `  job      ${job.id.padEnd(20)} ${job.state.padEnd(10)} ${whenOf(job)}`.trimEnd()),
    ...project.instances.map(({ id, state, version, note }) => `  sql      ${id.padEnd(20)} ${state.padEnd(10)} ${note ?? version}`),
    ...project.buckets.map((name) => `  bucket   ${name}`),
    ...project.secrets.map((id) => `  secret   ${id}`),
  ].join('\n')
}

/** A word for a shell, whatever is in it. */
function inQuotes(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`
}

function whenOf({ schedule, nextRunMs }: StatusAnswer['projects'][number]['jobs'][number]): string {
  if (schedule === undefined) return ''
  const next = nextRunMs === undefined ? '' : ` · next ${new Date(nextRunMs).toLocaleString()}`
  return `${schedule.cron} ${schedule.timeZone}${next}`
}
