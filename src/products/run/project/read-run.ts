import { basename } from 'node:path'
import { serviceIdFor } from '../../../config/ids.ts'
import type { Problems } from '../../../config/problems.ts'
import type { Found, Reading } from '../../../config/section.ts'
import { mergeJobParts, type JobPart } from './job-part.ts'
import { readJobParts, readServiceParts } from './read-keys.ts'
import { readKnativeJobs, type KnativeJobPart } from './read-knative-job.ts'
import { readKnative, type KnativePart } from './read-knative.ts'
import { readSources, type Sources } from './read-sources.ts'
import { mergeParts, type ServicePart } from './service-part.ts'
import type { keys } from './service-schema.ts'
import { toJob } from './to-job.ts'
import { toService } from './to-service.ts'
import type { WantedRun, WantedService } from './wanted-run.ts'

/**
 * The services and jobs of a project, from devcloud.yaml, service.yaml, job.yaml, Dockerfile, Procfile and package.json. devcloud.yaml goes
 * before the others, key by key.
 */
export async function readRun(reading: Reading<typeof keys>): Promise<Found<WantedRun>> {
  const { files, problems } = reading
  const folder = basename(files.directory)
  const serviceParts = await readServiceParts(reading)
  const jobParts = await readJobParts(reading)
  const dirs = [...new Set(['.', ...[...serviceParts, ...jobParts].map((part) => part.dir)])].toSorted()
  const sources = new Map<string, Sources>()
  const knative: KnativePart[] = []
  const knativeJobs: KnativeJobPart[] = []
  for (const dir of dirs) {
    sources.set(dir, await readSources(files, dir, problems))
    knative.push(...(await readKnative(files, dir, problems)))
    knativeJobs.push(...(await readKnativeJobs(files, dir, problems)))
  }
  const told = (key: 'project' | 'region') => [...knative, ...knativeJobs].find((found) => found[key] !== undefined)?.[key]
  const isJobOnly = reading.told.services !== undefined || knativeJobs.length > 0
  const parts = partsOf(folder, knative, serviceParts, isJobOnly ? {} : (sources.get('.') ?? {}), problems)
  const [project, region] = [told('project'), told('region')]
  return {
    ...(project !== undefined && { project }),
    ...(region !== undefined && { region }),
    wanted(place) {
      const context = { directory: files.directory, ...place, declared: reading.namesUnder('instances'), sources }
      const services = parts.flatMap((part): readonly WantedService[] => [toService(part, context, problems) ?? []].flat())
      const allJobs = jobPartsOf(knativeJobs, jobParts, problems)
      const jobs = allJobs.flatMap((part) => toJob(part, services, parts, context, problems) ?? [])
      return services.length + jobs.length === 0 ? undefined : { services, jobs }
    },
  }
}

/** One part a service: those of service.yaml, under those of devcloud.yaml; without either, the folder itself. */
function partsOf(
  folder: string,
  knative: readonly KnativePart[],
  devcloud: readonly ServicePart[],
  here: Sources,
  problems: Problems,
): readonly ServicePart[] {
  const parts = new Map<string, ServicePart>()
  for (const { part } of knative) {
    const other = parts.get(part.id)
    if (other !== undefined)
      problems.add(part.from, `the service "${part.id}" is in ${other.from.file}:${other.from.line} already; write another name`)
    const sameFile = knative.filter((found) => found.part.dir === part.dir)
    // A folder that several services name different images for cannot be the source of all.
    const isShared = sameFile.every((found) => found.part.image === part.image)
    parts.set(part.id, isShared ? part : { ...part, isReady: true })
  }
  for (const part of devcloud) parts.set(part.id, mergeParts(parts.get(part.id), part))
  const from = here.dockerfile?.from ?? here.command?.from
  if (parts.size === 0 && from !== undefined) return [{ id: serviceIdFor(folder), from, dir: '.', env: {} }]
  return [...parts.values()]
}

/** One part a job: those of job.yaml, under those of devcloud.yaml. */
function jobPartsOf(knative: readonly KnativeJobPart[], devcloud: readonly JobPart[], problems: Problems): readonly JobPart[] {
  const parts = new Map<string, JobPart>()
  for (const { part } of knative) {
    const other = parts.get(part.id)
    if (other !== undefined)
      problems.add(part.from, `the job "${part.id}" is in ${other.from.file}:${other.from.line} already; write another name`)
    parts.set(part.id, part)
  }
  for (const part of devcloud) parts.set(part.id, mergeJobParts(parts.get(part.id), part))
  return [...parts.values()]
}
