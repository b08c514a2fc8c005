import type { Described } from '../../../config/section.ts'
import { memoryText } from './quantities.ts'
import type { WantedContainer, WantedJob, WantedRun, WantedService, WantedSource } from './wanted-run.ts'

/** Services and jobs in words. Of environment variables and secrets only names are told, never a value. */
export function describeRun({ services, jobs }: WantedRun, directory: string): readonly Described[] {
  return [
    ...services.map((service) => ({
      name: `service ${service.id}`,
      what: serviceWords(service, directory),
      from: service.from,
      parts: [...parts(service), ...service.before.map((command) => ['before', commandWords(command)] as const)],
    })),
    ...jobs.map((job) => ({
      name: `job ${job.id}`,
      what: jobWords(job, directory),
      from: job.from,
      parts: [
        ...parts(job),
        ...(job.schedule === undefined ? [] : [['schedule', `${job.schedule.cron} · ${job.schedule.timeZone}`] as const]),
      ],
    })),
  ]
}

function serviceWords(service: WantedService, directory: string): string {
  const { source, image, port, cpus, memoryBytes, concurrency, minInstances, maxInstances, timeoutSeconds } = service
  return [
    source === undefined ? `image ${image ?? ''}` : sourceWords(source, directory),
    `port ${port}`,
    `${cpus} CPU`,
    memoryText(memoryBytes),
    `${concurrency} requests at a time`,
    `${minInstances} to ${maxInstances} instances`,
    `${timeoutSeconds}s`,
  ].join(' · ')
}

function jobWords(job: WantedJob, directory: string): string {
  const { service, source, image, tasks, parallelism, maxRetries, timeoutSeconds, cpus, memoryBytes } = job
  return [
    service === undefined
      ? source === undefined
        ? `image ${image ?? ''}`
        : sourceWords(source, directory)
      : `image of service ${service}`,
    tasks === 1 ? '1 task' : `${tasks} tasks`,
    ...(parallelism === 0 ? [] : [`${parallelism} at a time`]),
    `${cpus} CPU`,
    memoryText(memoryBytes),
    maxRetries === 1 ? '1 retry' : `${maxRetries} retries`,
    `${timeoutSeconds}s`,
  ].join(' · ')
}

function sourceWords(source: WantedSource, directory: string): string {
  const folder = source.directory === directory ? '.' : source.directory.slice(directory.length + 1)
  if (source.dockerfile !== undefined) return `build ${folder === '.' ? '' : `${folder}/`}${source.dockerfile}`
  return `run ${folder} with "${commandWords(source.command ?? [])}"`
}

function* parts(
  service: WantedContainer & Pick<Partial<WantedService>, 'source' | 'invoker' | 'idleSeconds' | 'sidecars' | 'volumeMounts'>,
): Generator<readonly [string, string]> {
  const { source } = service
  if (source?.dockerfile !== undefined && source.command !== undefined && service.command === undefined) {
    yield ['process', `${commandWords(source.command)} (without Docker)`]
  }
  if (service.command !== undefined) yield ['command', commandWords(service.command)]
  if (service.args !== undefined) yield ['args', commandWords(service.args)]
  if (service.serviceAccount !== undefined) yield ['account', service.serviceAccount]
  if (service.idleSeconds !== undefined) yield ['idle', `${service.idleSeconds} s`]
  if (service.invoker === 'private') yield ['invoker', 'private']
  for (const [name, value] of Object.entries(service.env)) {
    yield [`env ${name}`, 'value' in value ? 'a value' : `secret ${value.secret}, version ${value.version}`]
  }
  for (const { mountPath, secret, items } of service.secretVolumes) {
    for (const { path, version } of items) yield ['file', `${mountPath}/${path}: secret ${secret}, version ${version}`]
  }
  for (const { name, image } of service.sidecars ?? []) yield [`sidecar ${name}`, `image ${image}`]
  for (const { name, mountPath } of service.volumeMounts ?? []) yield [`volume ${name}`, mountPath]
  for (const name of service.cloudSqlInstances) yield ['socket', `/cloudsql/${name}`]
}

/** `sh -c LINE` is what devcloud.yaml writes as LINE. */
export function commandWords(command: readonly string[]): string {
  const [shell, option, line] = command
  if (command.length === 3 && shell === 'sh' && option === '-c' && line !== undefined) return oneLine(line)
  return oneLine(command.map((word) => (/^[\w./:=@%+,-]+$/.test(word) ? word : JSON.stringify(word))).join(' '))
}

function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim()
}
