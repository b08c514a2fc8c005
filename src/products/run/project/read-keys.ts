import { posix } from 'node:path'
import { given } from '../../../config/given.ts'
import type { Place } from '../../../config/place.ts'
import type { Reading } from '../../../config/section.ts'
import type { JobPart } from './job-part.ts'
import { readCpu, readMemory } from './quantities.ts'
import type { ServicePart } from './service-part.ts'
import type { DevcloudJob, DevcloudService, keys } from './service-schema.ts'
import type { WantedEnv } from './wanted-run.ts'

type RunReading = Reading<typeof keys>

/** What devcloud.yaml says of services. */
export async function readServiceParts(reading: RunReading): Promise<readonly ServicePart[]> {
  const parts: ServicePart[] = []
  for (const [id, service] of Object.entries(reading.told.services ?? {})) parts.push(await toServicePart(id, service ?? {}, reading))
  return parts
}

/** What devcloud.yaml says of jobs. */
export async function readJobParts(reading: RunReading): Promise<readonly JobPart[]> {
  const parts: JobPart[] = []
  for (const [id, job] of Object.entries(reading.told.jobs ?? {})) parts.push(await toJobPart(id, job ?? {}, reading))
  return parts
}

async function toServicePart(id: string, service: DevcloudService, reading: RunReading): Promise<ServicePart> {
  const path = ['services', id]
  return {
    ...(await containerPart(id, service, path, reading)),
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

async function toJobPart(id: string, job: DevcloudJob, reading: RunReading): Promise<JobPart> {
  const path = ['jobs', id]
  const { document, problems } = reading
  const place = (key: string) => document.placeOf([...path, key])
  const isBuilt = (job.dir ?? job.dockerfile) !== undefined
  if (job.service !== undefined && (isBuilt || job.image !== undefined))
    problems.add(place('service'), 'a service is here beside an image or a folder to build; write one of them')
  const { schedule } = job
  return {
    ...(await containerPart(id, job, path, reading)),
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
  { document, files, problems }: RunReading,
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
  placeOf: (index: number) => Place,
  problems: RunReading['problems'],
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
