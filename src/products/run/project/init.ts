import { relative, sep } from 'node:path'
import { given } from '../../../config/given.ts'
import { commented, initYaml } from '../../../config/init-yaml.ts'
import { devcloudFile } from '../../../config/read-devcloud.ts'
import type { InitProject } from '../../../config/section.ts'
import { memoryText } from './quantities.ts'
import type { WantedContainer, WantedJob, WantedRun, WantedService, WantedSource } from './wanted-run.ts'

type Json = Readonly<Record<string, unknown>>

/** Services and jobs as a devcloud.yaml says them. */
export function initRun({ services, jobs }: WantedRun, { directory }: InitProject): string {
  return [
    '\n# Cloud Run services. "before" runs to its end before a revision starts, such as migrations.\n',
    servicesText(services, directory),
    '\n# Cloud Run jobs. One with a schedule runs by itself while the project is up.\n',
    jobsText(jobs, services[0]?.id, directory),
  ].join('')
}

/** A service of service.yaml stands in comments as a whole; of one that the folder itself is, only the name counts. */
function servicesText(services: readonly WantedService[], directory: string): string {
  if (services.length === 0) return 'services: {}\n'
  const isHeld = services.some((service) => !isKnative(service))
  const lines = services.flatMap((service) => {
    const { file, line } = service.from
    if (file === devcloudFile) return [initYaml({ [service.id]: toYaml(service, directory) })]
    const body = commented({ ...toYaml(service, directory), before: service.before.map(toLine) }, '  ')
    return [isKnative(service) ? `# ${service.id}: # ${file}:${line}\n${body}` : `${service.id}: # ${file}:${line}\n${body}`]
  })
  return `${isHeld ? '' : '# '}services:\n${lines.join('').replaceAll(/^(?=.)/gm, '  ')}`
}

function isKnative({ from }: WantedService | WantedJob): boolean {
  return /(?:^|\/)(?:service|job)\.yaml$/.test(from.file)
}

/** A job of job.yaml stands in comments as a whole. */
function jobsText(jobs: readonly WantedJob[], service: string | undefined, directory: string): string {
  if (jobs.length === 0) return commented({ jobs: { nightly: given({ service, command: ['node', 'nightly.js'], schedule: '0 3 * * *' }) } })
  const lines = jobs.map((job) => {
    const body = jobToYaml(job, directory)
    return isKnative(job) ? `# ${job.id}: # ${job.from.file}:${job.from.line}\n${commented(body, '  ')}` : initYaml({ [job.id]: body })
  })
  return `${jobs.every(isKnative) ? '# ' : ''}jobs:\n${lines.join('').replaceAll(/^(?=.)/gm, '  ')}`
}

function jobToYaml(job: WantedJob, directory: string): Json {
  return given({
    service: job.service,
    dir: job.source === undefined ? undefined : folderOf(job.source, directory) || '.',
    dockerfile: job.source?.dockerfile,
    image: job.image,
    command: job.command,
    args: job.args,
    ...surroundings(job),
    cpu: job.cpus,
    memory: memoryText(job.memoryBytes),
    serviceAccount: job.serviceAccount,
    tasks: job.tasks,
    parallelism: job.parallelism,
    maxRetries: job.maxRetries,
    timeout: job.timeoutSeconds,
    schedule: job.schedule,
  })
}

function folderOf(source: WantedSource, directory: string): string {
  return relative(directory, source.directory).split(sep).join('/')
}

function surroundings({ env, secretVolumes, cloudSqlInstances }: WantedContainer) {
  const files = secretVolumes.flatMap(({ mountPath, secret, items }) => items.map((item) => ({ mountPath, secret, ...item })))
  return {
    env:
      Object.keys(env).length === 0
        ? undefined
        : Object.fromEntries(Object.entries(env).map(([name, set]) => [name, 'value' in set ? set.value : set])),
    files: files.length === 0 ? undefined : files,
    instances: cloudSqlInstances.length === 0 ? undefined : cloudSqlInstances,
  }
}

function toYaml(service: WantedService, directory: string): Json {
  const { source, before } = service
  return given({
    dir: (source === undefined ? '' : folderOf(source, directory)) || undefined,
    dockerfile: source?.dockerfile,
    image: service.image,
    command: service.command,
    args: service.args,
    ...surroundings(service),
    port: service.port,
    cpu: service.cpus,
    memory: memoryText(service.memoryBytes),
    concurrency: service.concurrency,
    scaling: { min: service.minInstances, max: service.maxInstances },
    timeout: service.timeoutSeconds,
    serviceAccount: service.serviceAccount,
    invoker: service.invoker,
    idleSeconds: service.idleSeconds,
    before: before.length === 0 ? undefined : before.map(toLine),
  })
}

function toLine(command: readonly string[]): string | readonly string[] {
  const [shell, option, line] = command
  return command.length === 3 && shell === 'sh' && option === '-c' && line ? line : command
}
