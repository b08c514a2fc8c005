import { given } from '../../../config/given.ts'
import { join, posix } from 'node:path'
import { didYouMean } from '../../../base/did-you-mean.ts'
import type { Problems } from '../../../config/problems.ts'
import {
  defaultConcurrency,
  defaultCpus,
  defaultMaxInstances,
  defaultMemoryBytes,
  defaultPort,
  defaultRequestSeconds,
} from '../defaults.ts'
import type { Sources } from './read-sources.ts'
import type { ServicePart } from './service-part.ts'
import type { Place } from '../../../config/place.ts'
import type { WantedService } from './wanted-run.ts'

export interface ServiceContext {
  /** Absolute path of the project's folder. */
  readonly directory: string
  readonly project: string
  readonly region: string
  /** Ids of the Cloud SQL instances that devcloud.yaml has; undefined when its faults leave that open. */
  readonly declared: readonly string[] | undefined
  /** By `dir`. */
  readonly sources: ReadonlyMap<string, Sources>
}

/** Fills in Cloud Run's defaults and compares references with what is declared. Undefined when there is nothing to run, which is told. */
export function toService(part: ServicePart, context: ServiceContext, problems: Problems): WantedService | undefined {
  const source = part.isReady ? undefined : sourceOf(part, context)
  if (source === undefined && part.image === undefined) {
    const where = part.dir === '.' ? '' : ` into ${part.dir}`
    problems.add(
      part.from,
      `the service "${part.id}" has nothing to run; write a Dockerfile${where}, or "image" or "command" for it in devcloud.yaml`,
    )
    return undefined
  }
  const { minInstances = 0, maxInstances = defaultMaxInstances } = part
  if (minInstances > maxInstances) problems.add(part.from, `min ${minInstances} is above max ${maxInstances}; write a lower min`)
  const names = (part.instances ?? []).map(({ name, place }) => connectionName(name, place, context, problems))
  return {
    id: part.id,
    from: part.from,
    ...(source === undefined ? given({ image: part.image }) : { source }),
    ...given({ command: part.command, args: part.args, serviceAccount: part.serviceAccount, probes: part.probes }),
    ...given({ manifest: part.manifest, sidecars: part.sidecars, containerName: part.containerName, dependsOn: part.dependsOn }),
    ...given({
      protocol: part.protocol,
      cpuIdle: part.cpuIdle,
      startupCpuBoost: part.startupCpuBoost,
      sessionAffinity: part.sessionAffinity,
    }),
    ...given({ volumes: part.volumes, volumeMounts: part.volumeMounts }),
    env: part.env,
    port: part.port ?? defaultPort,
    cpus: part.cpus ?? defaultCpus,
    memoryBytes: part.memoryBytes ?? defaultMemoryBytes,
    concurrency: part.concurrency ?? ((part.cpus ?? defaultCpus) < 1 ? 1 : defaultConcurrency), // Cloud Run takes no more below one CPU
    minInstances,
    maxInstances,
    timeoutSeconds: part.timeoutSeconds ?? Number(defaultRequestSeconds),
    cloudSqlInstances: [...new Set(names)],
    secretVolumes: part.secretVolumes ?? [],
    invoker: part.invoker ?? 'all',
    ...(part.idleSeconds !== undefined && { idleSeconds: part.idleSeconds }),
    before: part.before ?? [],
  }
}

/** The folder to build; the process engine runs `command`: the service's own, else the folder's. */
export function sourceOf(
  part: Pick<ServicePart, 'dir' | 'dockerfile' | 'command' | 'image'>,
  context: ServiceContext,
): WantedService['source'] {
  const found = context.sources.get(part.dir) ?? {}
  const dockerfile = part.dockerfile ?? (found.dockerfile === undefined ? undefined : 'Dockerfile')
  const command = part.command ?? found.command?.words
  if (dockerfile === undefined && found.command === undefined && (part.image !== undefined || command === undefined)) return undefined
  return {
    directory: part.dir === '.' ? context.directory : join(context.directory, posix.normalize(part.dir)),
    ...given({ dockerfile, command }),
  }
}

/** `PROJECT:REGION:ID` for a name or an id. */
export function connectionName(name: string, place: Place, context: ServiceContext, problems: Problems): string {
  const { project, region, declared } = context
  const parts = name.split(':')
  const id = parts.at(-1) ?? ''
  const own = `${project}:${region}:${id}`
  if (declared === undefined) return own
  if (parts.length !== 1 && parts.length !== 3) {
    problems.add(place, `"${name}" names no Cloud SQL instance; write PROJECT:REGION:ID`)
  } else if (!declared.includes(id)) {
    const meant = didYouMean(id, declared)
    const advice = meant === undefined ? `"instances: { ${id}: {} }" in devcloud.yaml` : `"${meant}"`
    problems.add(place, `the Cloud SQL instance "${id}" is not declared; write ${advice}`)
  } else if (parts.length === 3 && name !== own) {
    const [itsProject = '', itsRegion = ''] = parts
    const other = itsProject === project ? `"region: ${itsRegion}"` : `"project: ${itsProject}"`
    const advice = place.file === 'devcloud.yaml' ? `"${own}"` : `${other} in devcloud.yaml`
    problems.add(place, `"${name}" is not an instance of project ${project} in ${region}; write ${advice}`)
  }
  return own
}
