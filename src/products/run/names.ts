import { CloudError } from '../../base/cloud-error.ts'
import { invalid } from './invalid.ts'

/** What services, jobs and worker pools are called by: each is `projects/P/locations/R/COLLECTION/ID`. */
export interface RunKind {
  readonly collection: 'services' | 'jobs' | 'workerPools'
  /** For people. */
  readonly words: string
  /** In Google's NOT_FOUND. */
  readonly kind: 'SERVICE' | 'JOB' | 'WORKER_POOL'
  /** The request that makes one, and its field that has the id. */
  readonly idField: string
  /** Characters that an id may have. */
  readonly longestId: number
}

/** Sources of the lengths: run/v2 Service.name, Job.name, CreateWorkerPoolRequest. */
export const serviceKind: RunKind = {
  collection: 'services',
  words: 'service',
  kind: 'SERVICE',
  idField: 'CreateServiceRequest.service_id',
  longestId: 49,
}
export const jobKind: RunKind = { collection: 'jobs', words: 'job', kind: 'JOB', idField: 'CreateJobRequest.job_id', longestId: 63 }
export const poolKind: RunKind = {
  collection: 'workerPools',
  words: 'worker pool',
  kind: 'WORKER_POOL',
  idField: 'CreateWorkerPoolRequest.worker_pool_id',
  longestId: 49,
}

export interface RunName {
  readonly project: string
  readonly region: string
  readonly id: string
}

/** Version 1 of the API writes `workerpools`. @throws CloudError INVALID_ARGUMENT when `name` has another form */
export function readName({ collection, words }: RunKind, name: string): RunName {
  const [, project, region, found, id] = /^projects\/([^/]+)\/locations\/([^/]+)\/(\w+)\/([^/]+)$/.exec(name) ?? []
  const isIt = found === collection || (found === 'workerpools' && collection === 'workerPools')
  if (isIt && project !== undefined && region !== undefined && id !== undefined) return { project, region, id }
  throw notAName(name, `a ${words}`, `projects/PROJECT/locations/REGION/${collection}/${words.replace('worker ', '').toUpperCase()}`)
}

/** @throws CloudError INVALID_ARGUMENT, of any name that is read */
export function notAName(name: string, what: string, form: string): CloudError {
  return invalid(`"${name}" is not ${what}'s name.`, `Write ${form}.`)
}

/** @throws CloudError INVALID_ARGUMENT. A letter first, then lower case letters, digits and hyphens. */
export function checkId({ idField, longestId }: RunKind, id: string): void {
  if (id.length <= longestId && /^[a-z]([a-z0-9-]*[a-z0-9])?$/.test(id)) return
  throw invalid(
    `Violation in ${idField}: "${id}" must begin with a letter, hold only lower case letters, digits and hyphens, not end with a hyphen, and be shorter than ${longestId + 1} characters.`,
    'Choose such an id.',
  )
}

export function notFound({ kind }: RunKind, { project, region, id }: RunName): CloudError {
  return new CloudError(
    'NOT_FOUND',
    `Resource '${id}' of kind '${kind}' in region '${region}' in project '${project}' does not exist.`,
    'Create it first.',
  )
}

/** `projects/P/locations/R` of what is below it. */
export function locationOf(name: string): string {
  return name.split('/').slice(0, 4).join('/')
}

/** The id of the project in a full name. */
export function projectOf(name: string): string {
  return name.split('/')[1] ?? ''
}
