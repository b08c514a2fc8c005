import { memoryText } from './quantities.ts'
import type { Place, Wanted, WantedContainer, WantedJob, WantedService, WantedSource } from './wanted.ts'

/**
 * What a project wants, a resource a line, each with the line of the file that says so. The same project gives the same text.
 * Of environment variables and secrets only names are printed, never a value.
 * @param notes what is asked for and not had, which stands last
 */
export function planText(wanted: Wanted, notes: readonly { readonly resource: string; readonly text: string }[] = []): string {
  const rows: (readonly [string, string, Place?])[] = [[`project ${wanted.project}`, wanted.region]]
  for (const { id, initial, from } of wanted.secrets) {
    const what =
      initial.kind === 'random' ? `${initial.bytes} random bytes` : initial.file === undefined ? 'a value' : `from ${initial.file}`
    rows.push([`secret ${id}`, what, from])
  }
  for (const { id, databaseVersion, databases, users, from } of wanted.instances) {
    const names = users.map((user) =>
      user.passwordSecret === undefined ? user.name : `${user.name} (password: secret ${user.passwordSecret})`,
    )
    rows.push([`sql ${id}`, [databaseVersion, ...listed('databases', databases), ...listed('users', names)].join(' · '), from])
  }
  for (const { name, public: isPublic, from } of wanted.buckets) rows.push([`bucket ${name}`, isPublic ? 'public' : 'private', from])
  for (const service of wanted.services) {
    rows.push([`service ${service.id}`, serviceWords(service, wanted.directory), service.from])
    for (const [name, what] of parts(service)) rows.push([`  ${name}`, what])
    for (const command of service.before) rows.push(['  before', words(command)])
  }
  for (const job of wanted.jobs) {
    rows.push([`job ${job.id}`, jobWords(job, wanted.directory), job.from])
    for (const [name, what] of parts(job)) rows.push([`  ${name}`, what])
    if (job.schedule !== undefined) rows.push(['  schedule', `${job.schedule.cron} · ${job.schedule.timeZone}`])
  }
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => String(row[column]).length)))
  const lines = rows.map(([name, what, from]) => {
    const place = from === undefined ? '' : `${from.file}:${from.line}`
    return `${name.padEnd(widths[0] ?? 0)}  ${what.padEnd(widths[1] ?? 0)}  ${place}`.trimEnd()
  })
  return `${[...lines, ...notes.map(({ resource, text }) => `note ${resource}  ${text}`)].join('\n')}\n`
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
  return `run ${folder} with "${words(source.command ?? [])}"`
}

function* parts(
  service: WantedContainer & Pick<Partial<WantedService>, 'source' | 'invoker' | 'idleSeconds' | 'sidecars' | 'volumeMounts'>,
): Generator<readonly [string, string]> {
  const { source } = service
  if (source?.dockerfile !== undefined && source.command !== undefined && service.command === undefined) {
    yield ['process', `${words(source.command)} (without Docker)`]
  }
  if (service.command !== undefined) yield ['command', words(service.command)]
  if (service.args !== undefined) yield ['args', words(service.args)]
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
function words(command: readonly string[]): string {
  const [shell, option, line] = command
  if (command.length === 3 && shell === 'sh' && option === '-c' && line !== undefined) return oneLine(line)
  return oneLine(command.map((word) => (/^[\w./:=@%+,-]+$/.test(word) ? word : JSON.stringify(word))).join(' '))
}

function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim()
}

function listed(name: string, values: readonly string[]): readonly string[] {
  return values.length === 0 ? [] : [`${name} ${values.join(', ')}`]
}
