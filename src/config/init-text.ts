import { relative, sep } from 'node:path'
import { stringify } from 'yaml'
import { memoryText } from './quantities.ts'
import { devcloudFile } from './read-devcloud.ts'
import { given } from './service-part.ts'
import type { Wanted, WantedContainer, WantedJob, WantedService, WantedSource } from './wanted.ts'

type Json = Readonly<Record<string, unknown>>

const head = `# yaml-language-server: $schema=./node_modules/devcloud/schema.json
# What your production files do not say. Every key is optional.
# Lines that begin with # say what was found in other files, or what may be written; without the # they count.
`

/**
 * A devcloud.yaml of what was found. What other files say stands in comments, so that those files stay the ones to edit.
 * Read back in the same folder, it gives the same Wanted, but for the places.
 */
export function initText(wanted: Wanted): string {
  return [
    head,
    yaml({ project: wanted.project, region: wanted.region }),
    '\n# First versions of secrets; a secret that has one keeps it. Also: { file: PATH } or { value: TEXT }.\n',
    wanted.secrets.length === 0 ? commented({ secrets: secretSample(wanted) }) : yaml({ secrets: secrets(wanted) }),
    '\n# Cloud SQL instances: PostgreSQL.\n',
    wanted.instances.length === 0 ? commented({ instances: instanceSample }) : yaml({ instances: instances(wanted) }),
    '\n# Cloud Storage buckets; of a public one everybody may read the objects.\n',
    wanted.buckets.length === 0
      ? commented({ buckets: { [`${wanted.project}-uploads`]: { public: true } } })
      : yaml({ buckets: Object.fromEntries(wanted.buckets.map((bucket) => [bucket.name, { public: bucket.public }])) }),
    '\n# Cloud Run services. "before" runs to its end before a revision starts, such as migrations.\n',
    services(wanted),
    '\n# Cloud Run jobs. One with a schedule runs by itself while the project is up.\n',
    jobs(wanted),
  ].join('')
}

/** A service of service.yaml stands in comments as a whole; of one that the folder itself is, only the name counts. */
function services(wanted: Wanted): string {
  if (wanted.services.length === 0) return 'services: {}\n'
  const isHeld = wanted.services.some((service) => !isKnative(service))
  const lines = wanted.services.flatMap((service) => {
    const { file, line } = service.from
    if (file === devcloudFile) return [yaml({ [service.id]: toYaml(service, wanted.directory) })]
    const body = commented({ ...toYaml(service, wanted.directory), before: service.before.map(toLine) }, '  ')
    return [isKnative(service) ? `# ${service.id}: # ${file}:${line}\n${body}` : `${service.id}: # ${file}:${line}\n${body}`]
  })
  return `${isHeld ? '' : '# '}services:\n${lines.join('').replaceAll(/^(?=.)/gm, '  ')}`
}

function isKnative({ from }: WantedService | WantedJob): boolean {
  return /(?:^|\/)(?:service|job)\.yaml$/.test(from.file)
}

/** A job of job.yaml stands in comments as a whole. */
function jobs(wanted: Wanted): string {
  const [first] = wanted.services
  if (wanted.jobs.length === 0)
    return commented({ jobs: { nightly: given({ service: first?.id, command: ['node', 'nightly.js'], schedule: '0 3 * * *' }) } })
  const lines = wanted.jobs.map((job) => {
    const body = jobToYaml(job, wanted.directory)
    return isKnative(job) ? `# ${job.id}: # ${job.from.file}:${job.from.line}\n${commented(body, '  ')}` : yaml({ [job.id]: body })
  })
  return `${wanted.jobs.every(isKnative) ? '# ' : ''}jobs:\n${lines.join('').replaceAll(/^(?=.)/gm, '  ')}`
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

function secrets(wanted: Wanted): Json {
  return Object.fromEntries(
    wanted.secrets.map(({ id, initial }) => {
      if (initial.kind === 'random') return [id, { random: initial.bytes }]
      return [
        id,
        initial.file === undefined ? { value: new TextDecoder('utf-8', { ignoreBOM: true }).decode(initial.data) } : { file: initial.file },
      ]
    }),
  )
}

/** The secrets that services name, to be given a first version. */
function secretSample(wanted: Wanted): Json {
  const named = [...wanted.services, ...wanted.jobs].flatMap(({ env, secretVolumes }) => [
    ...Object.values(env).flatMap((set) => ('secret' in set ? [set.secret] : [])),
    ...secretVolumes.map(({ secret }) => secret),
  ])
  return Object.fromEntries((named.length === 0 ? ['session-key'] : named).map((id) => [id, { random: 32 }]))
}

function instances(wanted: Wanted): Json {
  return Object.fromEntries(
    wanted.instances.map(({ id, databaseVersion, databases, users }) => [
      id,
      given({
        version: databaseVersion,
        databases: databases.length === 0 ? undefined : databases,
        users:
          users.length === 0
            ? undefined
            : Object.fromEntries(
                users.map(({ name, password, passwordSecret }) => [
                  name,
                  { password: passwordSecret === undefined ? password : { secret: passwordSecret } },
                ]),
              ),
      }),
    ]),
  )
}

const instanceSample = {
  main: { version: 'POSTGRES_15', databases: ['app'], users: { app: { password: { secret: 'db-password' } } } },
}

function yaml(value: Json): string {
  return stringify(value, { lineWidth: 0, aliasDuplicateObjects: false })
}

function commented(value: Json, indent = ''): string {
  return yaml(value).replaceAll(/^/gm, `${indent}# `).replace(/ *# $/, '')
}
