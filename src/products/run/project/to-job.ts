import { given } from '../../../config/given.ts'
import { defaultCpus, defaultMemoryBytes, defaultRetries, defaultTaskSeconds } from '../defaults.ts'
import type { JobPart } from './job-part.ts'
import type { Problems } from '../../../config/problems.ts'
import type { ServicePart } from './service-part.ts'
import { connectionName, sourceOf, type ServiceContext } from './to-service.ts'
import type { WantedJob, WantedService } from './wanted-run.ts'
import { didYouMean } from '../../../base/did-you-mean.ts'

/** Fills in Cloud Run's defaults and finds what the job runs. Undefined when there is nothing to run, which is told. */
export function toJob(
  part: JobPart,
  services: readonly WantedService[],
  serviceParts: readonly ServicePart[],
  context: ServiceContext,
  problems: Problems,
): WantedJob | undefined {
  const runs = whatRuns(part, services, serviceParts, context, problems)
  if (runs === undefined) return undefined
  const names = (part.instances ?? []).map(({ name, place }) => connectionName(name, place, context, problems))
  return {
    id: part.id,
    from: part.from,
    ...runs,
    ...given({ manifest: part.manifest, command: part.command, args: part.args }),
    ...given({ serviceAccount: part.serviceAccount, schedule: part.schedule }),
    env: part.env,
    cpus: part.cpus ?? defaultCpus,
    memoryBytes: part.memoryBytes ?? defaultMemoryBytes,
    cloudSqlInstances: [...new Set(names)],
    secretVolumes: part.secretVolumes ?? [],
    tasks: part.tasks ?? 1,
    parallelism: part.parallelism ?? 0,
    maxRetries: part.maxRetries ?? defaultRetries,
    timeoutSeconds: part.timeoutSeconds ?? Number(defaultTaskSeconds),
  }
}

/** The image of a service named or alike, the folder that was written, the image; else the image of the only service. */
function whatRuns(
  part: JobPart,
  services: readonly WantedService[],
  serviceParts: readonly ServicePart[],
  context: ServiceContext,
  problems: Problems,
): Pick<WantedJob, 'service' | 'source' | 'image'> | undefined {
  if (part.service !== undefined) {
    const { id, place } = part.service
    if (services.some((service) => service.id === id)) return { service: id }
    const ids = serviceParts.map((service) => service.id)
    if (!ids.includes(id)) problems.add(place, `there is no service "${id}"; write ${didYouMean(id, ids) ?? ids.join(' or ')}`)
    return undefined
  }
  const own = { ...part, ...(part.isBuilt && { isReady: false }) }
  if (part.isBuilt === true) return withSource(own, context, problems)
  if (part.isReady === true && part.image !== undefined) return { image: part.image }
  // What the files of production call by one name is one image: built once, for the service.
  const alike = part.image === undefined ? undefined : serviceParts.find(({ image }) => image === part.image)
  if (alike !== undefined && services.some(({ id }) => id === alike.id)) return { service: alike.id }
  const [only, ...others] = services
  if (part.image === undefined && only !== undefined && others.length === 0) return { service: only.id }
  if (part.image !== undefined && serviceParts.length > 0) return { image: part.image }
  if (serviceParts.length === 0) return withSource(part, context, problems)
  if (others.length > 0)
    problems.add(part.from, `the job "${part.id}" has several services to take its image of; write "service: ${only?.id}" for it`)
  return undefined
}

function withSource(part: JobPart, context: ServiceContext, problems: Problems): Pick<WantedJob, 'source' | 'image'> | undefined {
  const source = sourceOf(part, context)
  if (source !== undefined) return { source }
  if (part.image !== undefined) return { image: part.image }
  problems.add(part.from, `the job "${part.id}" has nothing to run; write "dir", "image" or "service" for it in devcloud.yaml`)
  return undefined
}
