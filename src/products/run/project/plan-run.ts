import { isRecord } from '../../../base/is-record.ts'
import type { Json } from '../../../api/google-api.ts'
import { created, toStep, type Step } from '../../../api/product-plan.ts'
import { scheduleKey, timeZoneKey } from '../jobs/schedule.ts'
import type { WantedBodies } from './bodies.ts'
import { changedFields } from './changed-fields.ts'
import type { WantedJob, WantedRun, WantedService } from './wanted-run.ts'

/** What there is of a project's services and jobs. */
export interface ObservedRun {
  /** By id: the service in version 2 of the API, and whether everybody may call it. */
  readonly services: ReadonlyMap<string, { readonly found: Json; readonly isOpen: boolean }>
  /** By id: every job of the project's region. */
  readonly jobs: ReadonlyMap<string, Json>
  /** By build: the image that the folder was last built to, and whether the folder is still the same. */
  readonly builds: ReadonlyMap<string, { readonly image: string; readonly isCurrent: boolean }>
}

/** The steps from what there is to what is wanted. Pure. */
export function planRun({ services, jobs }: WantedRun, bodies: WantedBodies, observed: ObservedRun): readonly Step[] {
  return [
    ...buildSteps([...services, ...jobs.map((job) => ({ ...job, id: jobBuild(job) }))], observed),
    ...services.map((service, index) => {
      // commands before a service may make what the services after it in the file need, such as tables
      const ahead = services.slice(0, index).filter((other) => other.before.length > 0)
      return serviceStep(service, bodies, observed, ahead)
    }),
    ...jobs.map((job) => jobStep(job, services, bodies, observed)),
    ...forgottenSchedules(jobs, observed).map((id) => ({
      id: `job:${id}`,
      name: `job ${id}`,
      stage: 'workload' as const,
      after: [],
      cause: 'no file says its schedule any more',
    })),
  ]
}

/** The build that makes what a service or a job runs: the id of a service, or that of `jobBuild`. Undefined for a ready image. */
export function buildOf(part: WantedService | WantedJob, services: readonly WantedService[]): string | undefined {
  if ('service' in part && part.service !== undefined) {
    const service = services.find(({ id }) => id === part.service)
    return service?.source === undefined ? undefined : service.id
  }
  if (part.source === undefined) return undefined
  return 'tasks' in part ? jobBuild(part) : part.id
}

export function jobBuild({ id }: { readonly id: string }): string {
  return `job-${id}`
}

/** True when the service serves what it was last given. */
export function isServing(found: Json): boolean {
  const condition = found['terminalCondition']
  return isRecord(condition) && condition['state'] === 'CONDITION_SUCCEEDED' && found['reconciling'] !== true
}

/** `0 3 * * * UTC`; empty where there is none. */
export function scheduleIn({ annotations }: Json): string {
  return isRecord(annotations) && annotations[scheduleKey] !== undefined
    ? `${String(annotations[scheduleKey])} ${String(annotations[timeZoneKey])}`
    : ''
}

/** Builds of one folder go one after another: the second finds what the first made. */
function buildSteps(parts: readonly Pick<WantedService | WantedJob, 'id' | 'source' | 'from'>[], { builds }: ObservedRun): readonly Step[] {
  const lastOf = new Map<string, string>()
  return parts.flatMap(({ id: part, source, from }) => {
    if (source === undefined) return []
    const known = builds.get(part)
    const cause = known === undefined ? created(from) : known.isCurrent ? undefined : 'source changed, or only a build can tell'
    const id = `build:${part}`
    const before = lastOf.get(source.directory)
    lastOf.set(source.directory, id)
    const after = before === undefined ? [] : [before]
    return [toStep({ id, name: `build ${part}`, stage: 'build', after }, cause)]
  })
}

function serviceStep(service: WantedService, bodies: WantedBodies, observed: ObservedRun, ahead: readonly WantedService[]): Step {
  const { id } = service
  const after = [...(service.source === undefined ? [] : [`build:${id}`]), ...ahead.map((other) => `service:${other.id}`)]
  return toStep({ id: `service:${id}`, name: `service ${id}`, stage: 'workload', after }, serviceCause(service, bodies, observed))
}

function serviceCause(service: WantedService, bodies: WantedBodies, { services, builds }: ObservedRun): string | undefined {
  const there = services.get(service.id)
  if (there === undefined) return created(service.from)
  const isWanted = service.invoker === 'all'
  const image = imageBefore(service.source === undefined ? undefined : service.id, service.image, builds)
  const changed = changedBeside(image, changedFields(there.found, bodies.service(service, image ?? '')))
  if (changed.length > 0) return `new revision: ${changed.join(', ')} changed`
  if (!isServing(there.found)) return 'new revision: the last one failed'
  return there.isOpen === isWanted ? undefined : `invoker: ${service.invoker}`
}

function jobStep(job: WantedJob, services: readonly WantedService[], bodies: WantedBodies, observed: ObservedRun): Step {
  const build = buildOf(job, services)
  const cause = jobCause(job, imageBefore(build, readyImage(job, services), observed.builds), bodies, observed)
  const after = build === undefined ? [] : [`build:${build}`]
  return toStep({ id: `job:${job.id}`, name: `job ${job.id}`, stage: 'workload', after }, cause)
}

function jobCause(job: WantedJob, image: string | undefined, bodies: WantedBodies, { jobs }: ObservedRun): string | undefined {
  const found = jobs.get(job.id)
  if (found === undefined) return created(job.from)
  const body = bodies.job(job, image ?? '')
  const changed = changedBeside(image, changedFields(found, body))
  if (changed.length > 0) return `updated: ${changed.join(', ')} changed`
  return scheduleIn(found) === scheduleIn(body) ? undefined : 'updated: schedule changed'
}

/** An image that only the build can tell counts as changed. */
function changedBeside(image: string | undefined, changed: readonly string[]): readonly string[] {
  return image === undefined ? ['image', ...changed.filter((field) => field !== 'image')] : changed
}

/** The image of a job that is not built for it: its own, or that of its service. */
export function readyImage(job: WantedJob, services: readonly WantedService[]): string | undefined {
  return job.service === undefined ? job.image : services.find(({ id }) => id === job.service)?.image
}

/** The image that a build is expected to make: that of the last one, if the folder is the same. Undefined where only the build can tell. */
function imageBefore(build: string | undefined, ready: string | undefined, builds: ObservedRun['builds']): string | undefined {
  if (build === undefined) return ready ?? ''
  const known = builds.get(build)
  return known?.isCurrent === true ? known.image : undefined
}

/** Jobs that still have a schedule, and of which no file speaks. */
function forgottenSchedules(jobs: readonly WantedJob[], observed: ObservedRun): readonly string[] {
  return [...observed.jobs].flatMap(([id, found]) => (scheduleIn(found) === '' || jobs.some((job) => job.id === id) ? [] : [id]))
}
