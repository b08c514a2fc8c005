import { realpath, stat } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { CloudError } from '../base/cloud-error.ts'
import { projectIdFor, serviceIdFor } from './ids.ts'
import { Problems } from './problems.ts'
import { ProjectFiles } from './project-files.ts'
import { readDevcloud } from './read-devcloud.ts'
import { mergeJobParts, type JobPart } from './job-part.ts'
import { readKnative, type KnativePart } from './read-knative.ts'
import { readKnativeJobs, type KnativeJobPart } from './read-knative-job.ts'
import { readSources, type Sources } from './read-sources.ts'
import { mergeParts, type ServicePart } from './service-part.ts'
import { toJob } from './to-job.ts'
import { toService } from './to-service.ts'
import type { Wanted, WantedService } from './wanted.ts'

/**
 * What a project says that it wants, from the files it has: devcloud.yaml, service.yaml, job.yaml, Dockerfile, Procfile, package.json.
 * devcloud.yaml goes before the others, key by key. Nothing is written and nothing is run. The answer is deeply frozen.
 * @throws CloudError CONFIG_INVALID with every problem, NO_SERVICE when nothing would run, NO_FOLDER
 */
export async function readProject(directory: string): Promise<Wanted> {
  const problems = new Problems()
  const files = new ProjectFiles(await realFolder(directory), problems)
  const folder = basename(files.directory)
  const devcloud = await readDevcloud(files, problems)
  const dirs = [...new Set(['.', ...[...devcloud.services, ...devcloud.jobs].map((part) => part.dir)])].toSorted()
  const sources = new Map<string, Sources>()
  const knative: KnativePart[] = []
  const knativeJobs: KnativeJobPart[] = []
  for (const dir of dirs) {
    sources.set(dir, await readSources(files, dir, problems))
    knative.push(...(await readKnative(files, dir, problems)))
    knativeJobs.push(...(await readKnativeJobs(files, dir, problems)))
  }
  const told = [...knative, ...knativeJobs]
  const project = devcloud.project ?? told.find((found) => found.project !== undefined)?.project ?? projectIdFor(folder)
  const region = devcloud.region ?? told.find((found) => found.region !== undefined)?.region ?? 'us-central1'
  const { declared } = devcloud
  const services: WantedService[] = []
  const context = { directory: files.directory, project, region, declared, sources }
  const isJobOnly = devcloud.saysServices || knativeJobs.length > 0
  const parts = partsOf(folder, knative, devcloud.services, isJobOnly ? {} : (sources.get('.') ?? {}), problems)
  for (const part of parts) {
    const service = toService(part, context, problems)
    if (service !== undefined) services.push(service)
  }
  const jobs = jobPartsOf(knativeJobs, devcloud.jobs, problems).flatMap((part) => toJob(part, services, parts, context, problems) ?? [])
  problems.throwIfAny()
  if (services.length + jobs.length === 0) throw noService(folder)
  const { secrets, instances, buckets } = devcloud
  return deepFreeze({ project, region, directory: files.directory, services, jobs, instances, buckets, secrets })
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

async function realFolder(directory: string): Promise<string> {
  const path = await realpath(resolve(directory)).catch(() => undefined)
  if (path !== undefined && (await stat(path)).isDirectory()) return path
  throw new CloudError('NOT_FOUND', `There is no folder ${directory}.`, "Name the project's folder.", { fault: 'NO_FOLDER' })
}

function noService(folder: string): CloudError {
  return new CloudError(
    'INVALID_ARGUMENT',
    `Nothing in ${folder} says what to run.`,
    'Add a Dockerfile; or a service.yaml, a job.yaml, a Procfile with a "web:" line, a package.json with a "start" script, or "services:" in devcloud.yaml.',
    { fault: 'NO_SERVICE' },
  )
}

/** Bytes stay as they are: a typed array cannot be frozen. */
function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value
  for (const part of Object.values(value)) deepFreeze(part)
  return Object.freeze(value)
}
