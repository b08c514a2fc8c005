import { posix } from 'node:path'
import { devcloudSchema, secretBytes, type DevcloudFile, type DevcloudJob, type DevcloudService } from './devcloud-schema.ts'
import type { JobPart } from './job-part.ts'
import type { Problems } from './problems.ts'
import type { ProjectFiles } from './project-files.ts'
import { readYaml, type YamlDocument } from './read-yaml.ts'
import { readBySchema, withoutFaults } from './schema-issues.ts'
import { given, type ServicePart } from './service-part.ts'
import { readCpu, readMemory } from './quantities.ts'
import type { Wanted, WantedBucket, WantedEnv, WantedInstance, WantedSecret } from './wanted.ts'

export const devcloudFile = 'devcloud.yaml'

export interface DevcloudParts extends Pick<Wanted, 'secrets' | 'instances' | 'buckets'> {
  readonly project?: string
  readonly region?: string
  readonly services: readonly ServicePart[]
  /** True when it says which services there are, though it be none. */
  readonly saysServices: boolean
  readonly jobs: readonly JobPart[]
  /** Ids of Cloud SQL instances; undefined when the file's faults leave that open. */
  readonly declared: readonly string[] | undefined
}

/** Reads devcloud.yaml; without one, nothing is wanted by it. Entries that do not fit are told and left out. */
export async function readDevcloud(files: ProjectFiles, problems: Problems): Promise<DevcloudParts> {
  const nothing: DevcloudParts = { secrets: [], instances: [], buckets: [], services: [], saysServices: false, jobs: [], declared: [] }
  const text = await files.text(devcloudFile)
  if (text === undefined) return nothing
  const before = problems.count
  const [document, second] = readYaml(text, devcloudFile, problems)
  if (second !== undefined) problems.add(second.placeOf([]), 'a second document begins here; write everything into one')
  if (document === undefined || document.value === null) return problems.count === before ? nothing : { ...nothing, declared: undefined }
  const fitting = readBySchema(devcloudSchema, document, problems)
  const file = fitting ?? devcloudSchema.safeParse(withoutFaults(devcloudSchema, document.value)).data ?? {}
  const services: ServicePart[] = []
  for (const [id, service] of Object.entries(file.services ?? {})) {
    services.push(await toPart(id, service ?? {}, document, files, problems))
  }
  const jobs: JobPart[] = []
  for (const [id, job] of Object.entries(file.jobs ?? {})) jobs.push(await toJobPart(id, job ?? {}, document, files, problems))
  return {
    ...given({ project: wordOf(document.value, 'project'), region: wordOf(document.value, 'region') }), // even a wrong one explains names
    secrets: await toSecrets(file, document, files, problems),
    instances: toInstances(file, document),
    buckets: toBuckets(file, document, problems),
    services,
    saysServices: file.services !== undefined,
    jobs,
    declared: declaredIn(document.value),
  }
}

function wordOf(value: unknown, key: 'project' | 'region'): string | undefined {
  const word = typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[key] : undefined
  return typeof word === 'string' ? word : undefined
}

/** Also of instances that do not fit, so that a reference to one is not told as a second problem. */
function declaredIn(value: unknown): readonly string[] | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  if (Object.keys(value).some((key) => !(key in devcloudSchema.shape))) return undefined
  const instances = 'instances' in value ? value.instances : undefined
  return typeof instances === 'object' ? Object.keys(instances ?? {}) : instances === undefined ? [] : undefined
}

async function toSecrets(file: DevcloudFile, document: YamlDocument, files: ProjectFiles, problems: Problems): Promise<WantedSecret[]> {
  const secrets: WantedSecret[] = []
  for (const [id, { value, file: path, random }] of Object.entries(file.secrets ?? {})) {
    const from = document.keyPlaceOf(['secrets', id])
    if (random !== undefined) secrets.push({ id, from, initial: { kind: 'random', bytes: random } })
    if (value !== undefined) {
      const data = new TextEncoder().encode(value)
      if (data.length > secretBytes) problems.add(document.placeOf(['secrets', id, 'value']), tooLong(data.length))
      secrets.push({ id, from, initial: { kind: 'value', data } })
    }
    if (path !== undefined) {
      const place = document.placeOf(['secrets', id, 'file'])
      const within = await files.inside(path, place, 'file')
      const data = within === undefined ? undefined : await files.bytes(within, place, secretBytes)
      if (within !== undefined && data !== undefined) secrets.push({ id, from, initial: { kind: 'value', data, file: within } })
    }
  }
  return secrets
}

function tooLong(bytes: number): string {
  return `here are ${bytes} bytes; write at most ${secretBytes}, as Secret Manager takes`
}

function toInstances(file: DevcloudFile, document: YamlDocument): WantedInstance[] {
  return Object.entries(file.instances ?? {}).map(([id, instance]) => ({
    id,
    from: document.keyPlaceOf(['instances', id]),
    databaseVersion: instance?.version ?? 'POSTGRES_15',
    databases: [...new Set(instance?.databases)],
    users: Object.entries(instance?.users ?? {}).map(([name, { password }]) =>
      typeof password === 'string' ? { name, password } : { name, password: '', passwordSecret: password.secret },
    ),
  }))
}

function toBuckets(file: DevcloudFile, document: YamlDocument, problems: Problems): WantedBucket[] {
  const { buckets } = file
  if (!Array.isArray(buckets)) {
    return Object.entries(buckets ?? {}).map(([name, bucket]) => ({
      name,
      from: document.keyPlaceOf(['buckets', name]),
      public: bucket?.public ?? false,
    }))
  }
  return buckets.flatMap((name, index) => {
    const from = document.placeOf(['buckets', index])
    if (buckets.indexOf(name) === index) return [{ name, from, public: false }]
    problems.add(from, `the bucket "${name}" is here a second time; write it once`)
    return []
  })
}

async function toPart(
  id: string,
  service: DevcloudService,
  document: YamlDocument,
  files: ProjectFiles,
  problems: Problems,
): Promise<ServicePart> {
  const path = ['services', id]
  return {
    ...(await containerPart(id, service, path, document, files, problems)),
    ...given({
      port: service.port,
      concurrency: service.concurrency,
      minInstances: service.scaling?.min,
      maxInstances: service.scaling?.max,
      timeoutSeconds: service.timeout,
      invoker: service.invoker,
      idleSeconds: service.idleSeconds,
      before: service.before?.map((line) => (typeof line === 'string' ? ['sh', '-c', line] : line)),
    }),
  }
}

async function toJobPart(id: string, job: DevcloudJob, document: YamlDocument, files: ProjectFiles, problems: Problems): Promise<JobPart> {
  const path = ['jobs', id]
  const place = (key: string) => document.placeOf([...path, key])
  const isBuilt = (job.dir ?? job.dockerfile) !== undefined
  if (job.service !== undefined && (isBuilt || job.image !== undefined))
    problems.add(place('service'), 'a service is here beside an image or a folder to build; write one of them')
  const { schedule } = job
  return {
    ...(await containerPart(id, job, path, document, files, problems)),
    ...(isBuilt && { isBuilt }),
    ...given({
      service: job.service === undefined ? undefined : { id: job.service, place: place('service') },
      tasks: job.tasks,
      parallelism: job.parallelism,
      maxRetries: job.maxRetries,
      timeoutSeconds: job.timeout,
      schedule:
        schedule === undefined
          ? undefined
          : typeof schedule === 'string'
            ? { cron: schedule, timeZone: 'UTC' }
            : { cron: schedule.cron, timeZone: schedule.timeZone ?? 'UTC' },
    }),
  }
}

/** What services and jobs say alike. */
async function containerPart(
  id: string,
  told: DevcloudService | DevcloudJob,
  path: readonly string[],
  document: YamlDocument,
  files: ProjectFiles,
  problems: Problems,
) {
  const place = (...more: readonly PropertyKey[]) => document.placeOf([...path, ...more])
  const dir = told.dir === undefined ? '.' : ((await files.inside(told.dir, place('dir'), 'folder')) ?? '.')
  const dockerfile = told.dockerfile === undefined ? undefined : await files.inside(told.dockerfile, place('dockerfile'), 'file', dir)
  const within = dockerfile === undefined ? undefined : posix.relative(dir, dockerfile)
  if (within?.startsWith('../'))
    problems.add(place('dockerfile'), `"${told.dockerfile}" is outside ${dir}; write a path within it, or another dir`)
  if (told.image !== undefined && (told.dockerfile ?? told.dir) !== undefined) {
    problems.add(place('image'), 'an image is here beside a folder to build; write one of them')
  }
  return {
    id,
    from: document.keyPlaceOf(path),
    dir,
    ...(told.image !== undefined && { isReady: true }),
    env: Object.fromEntries(Object.entries(told.env ?? {}).map(([name, value]) => [name, toEnv(value)])),
    ...given({
      dockerfile: within,
      image: told.image,
      command: told.command,
      args: told.args,
      cpus: told.cpu === undefined ? undefined : readCpu(told.cpu),
      memoryBytes: told.memory === undefined ? undefined : readMemory(told.memory),
      instances: told.instances?.map((name, index) => ({ name, place: place('instances', index) })),
      secretVolumes: told.files === undefined ? undefined : toVolumes(told.files, (index) => place('files', index), problems),
      serviceAccount: told.serviceAccount,
    }),
  }
}

function toEnv(value: string | { readonly secret: string; readonly version?: string | number | undefined }): WantedEnv {
  return typeof value === 'string' ? { value } : { secret: value.secret, version: String(value.version ?? 'latest') }
}

/** One volume a folder, since Cloud Run mounts one secret there. */
function toVolumes(
  files: NonNullable<DevcloudService['files']>,
  placeOf: (index: number) => ReturnType<YamlDocument['placeOf']>,
  problems: Problems,
): ServicePart['secretVolumes'] {
  const volumes = new Map<string, { mountPath: string; secret: string; items: { path: string; version: string }[] }>()
  for (const [index, { mountPath, secret, version = 'latest', path = secret }] of files.entries()) {
    const volume = volumes.get(mountPath) ?? { mountPath, secret, items: [] }
    if (volume.secret !== secret)
      problems.add(placeOf(index), `${mountPath} holds files of "${volume.secret}" already; write another mountPath`)
    if (volume.items.some((item) => item.path === path))
      problems.add(placeOf(index), `${mountPath}/${path} is here a second time; write another path`)
    volume.items.push({ path, version: String(version) })
    volumes.set(mountPath, volume)
  }
  return [...volumes.values()]
}
