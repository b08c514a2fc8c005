import { fromJson } from '@bufbuild/protobuf'
import { RevisionTemplateSchema } from '../../../api/gen/google/cloud/run/v2/revision_template_pb.ts'
import type { GoogleApi, Json } from '../../../api/google-api.ts'
import type { ProductPlan, Progress, Site, Step } from '../../../api/product-plan.ts'
import { waitForOperation } from '../../../api/wait-for-operation.ts'
import { CloudError } from '../../../base/cloud-error.ts'
import { shellWord } from '../../../base/shell-word.ts'
import { lastPart } from '../../../base/last-part.ts'
import { isRecord } from '../../../base/is-record.ts'
import type { BuildSource } from '../../../engine/engine.ts'
import { runOnce } from '../instances/run-once.ts'
import { scheduleKey, timeZoneKey } from '../jobs/schedule.ts'
import type { RunJobs } from '../jobs/index.ts'
import type { RunNeeds } from '../needs.ts'
import { wantedBodies, type WantedBodies } from './bodies.ts'
import type { Builds } from './builds.ts'
import { changedFields } from './changed-fields.ts'
import { commandWords } from './describe.ts'
import { isOpenToAll, openToAll } from './open-to-all.ts'
import { buildOf, isServing, jobBuild, planRun, readyImage, scheduleIn, type ObservedRun } from './plan-run.ts'
import type { WantedJob, WantedRun, WantedService } from './wanted-run.ts'

export interface PlanNeeds {
  readonly needs: RunNeeds
  readonly builds: Builds
  readonly jobs: RunJobs
}

const run = 'https://run.googleapis.com/v2'

/** Services and jobs, with the builds of what they run. @throws CloudError CONFIG_INVALID with what the API would refuse */
export async function planProject(parts: PlanNeeds, wanted: WantedRun, site: Site): Promise<ProductPlan> {
  const bodies = wantedBodies(wanted)
  const observed = await observe(parts, wanted, site)
  const executor = new Executor(parts, wanted, bodies, observed, site)
  return {
    steps: planRun(wanted, bodies, observed),
    urls: wanted.services.map(({ id }) => ({ service: id, url: parts.needs.urlOf(site.project, id) })),
    notes: bodies.notes,
    execute: (step, progress) => executor.execute(step, progress),
  }
}

async function observe({ needs, builds }: PlanNeeds, wanted: WantedRun, site: Site): Promise<ObservedRun> {
  const { api, project } = site
  const services = wanted.services.map(async ({ id }) => {
    const url = urlOf(site, 'services', id)
    const found = await api.find(url)
    return found === undefined ? [] : [[id, { found, isOpen: await isOpenToAll(api, url) }] as const]
  })
  const sources = sourcesOf(wanted, project).map(async (source) => {
    const known = await builds.find(source, () => needs.engineFor(project, AbortSignal.timeout(30_000)))
    return known === undefined ? [] : [[source.name, known] as const]
  })
  return {
    services: new Map((await Promise.all(services)).flat()),
    jobs: await listJobs(api, site),
    builds: new Map((await Promise.all(sources)).flat()),
  }
}

async function listJobs(api: GoogleApi, { project, region }: Site): Promise<ObservedRun['jobs']> {
  const { jobs } = await api.call('GET', `${run}/projects/${project}/locations/${region}/jobs?pageSize=1000`)
  const found = Array.isArray(jobs) ? jobs.filter(isRecord) : []
  return new Map(found.map((job) => [lastPart(String(job['name'])), job]))
}

function sourcesOf({ services, jobs }: WantedRun, project: string): readonly BuildSource[] {
  return [...services, ...jobs.map((job) => ({ ...job, id: jobBuild(job) }))].flatMap(({ id, source }) =>
    source === undefined ? [] : [{ project, name: id, ...source }],
  )
}

function urlOf({ project, region }: Site, kind: 'services' | 'jobs', id: string): string {
  return `${run}/projects/${project}/locations/${region}/${kind}/${id}`
}

/** Carries out the steps. Images are known once their builds are done, which come before what runs them. */
class Executor {
  readonly #parts: PlanNeeds
  readonly #wanted: WantedRun
  readonly #bodies: WantedBodies
  readonly #observed: ObservedRun
  readonly #site: Site
  readonly #images = new Map<string, string>()

  constructor(parts: PlanNeeds, wanted: WantedRun, bodies: WantedBodies, observed: ObservedRun, site: Site) {
    this.#parts = parts
    this.#wanted = wanted
    this.#bodies = bodies
    this.#observed = observed
    this.#site = site
  }

  async execute({ id: step }: Step, progress: Progress): Promise<string> {
    const [kind = '', id = ''] = step.split(':')
    if (kind === 'build') return await this.#build(id, progress)
    const service = this.#wanted.services.find((one) => one.id === id)
    if (kind === 'service' && service !== undefined) return await this.#applyService(service, progress)
    const job = this.#wanted.jobs.find((one) => one.id === id)
    return job === undefined ? await this.#unschedule(id) : await this.#applyJob(job)
  }

  async #build(name: string, { onLine, signal }: Progress): Promise<string> {
    const source = sourcesOf(this.#wanted, this.#site.project).find((one) => one.name === name)
    if (source === undefined) return ''
    const known = this.#observed.builds.get(name)
    if (known?.isCurrent === true) {
      this.#images.set(name, known.image)
      return 'unchanged'
    }
    const engine = await this.#parts.needs.engineFor(source.project, signal)
    const [image, words] = await this.#parts.builds.build(source, engine, (text) => onLine(`build ${name}`, text), signal)
    this.#images.set(name, image)
    return words
  }

  #imageOf(part: WantedService | WantedJob): string {
    const { services } = this.#wanted
    const build = buildOf(part, services)
    if (build !== undefined) return this.#images.get(build) ?? ''
    return ('tasks' in part ? readyImage(part, services) : part.image) ?? ''
  }

  /** Runs what must run before, creates or updates the service, and waits until it serves. */
  async #applyService(service: WantedService, progress: Progress): Promise<string> {
    const { api, project, region } = this.#site
    const url = urlOf(this.#site, 'services', service.id)
    const body = this.#bodies.service(service, this.#imageOf(service))
    const found = this.#observed.services.get(service.id)?.found
    const isOpen = service.invoker === 'all'
    if (found !== undefined && isServing(found) && changedFields(found, body).length === 0) {
      return (await openToAll(api, url, isOpen)) ? `invoker: ${service.invoker}` : 'unchanged'
    }
    await this.#runBefore(service, body, progress)
    const started =
      found === undefined
        ? api.call('POST', `${run}/projects/${project}/locations/${region}/services?serviceId=${service.id}`, body)
        : api.call('PATCH', url, body)
    const answer = await started
      .then((first) => untilDone(api, first))
      .catch((error: unknown) => {
        throw stillServing(error, found)
      })
    await openToAll(api, url, isOpen)
    return lastPart(String(answer['latestReadyRevision'] ?? 'ready'))
  }

  async #runBefore(service: WantedService, body: Json, { onLine, signal }: Progress): Promise<void> {
    const { needs } = this.#parts
    const template = fromJson(RevisionTemplateSchema, body['template'] as never)
    for (const command of service.before) {
      const words = commandWords(command)
      const last: string[] = []
      const tell = ({ text }: { readonly text: string }) => {
        last.push(text)
        if (last.length > 20) last.shift()
        onLine(words, text)
      }
      const code = await runOnce(needs, needs.project(this.#site.project), service.id, template, command, tell, signal)
      if (code === 0) continue
      throw new CloudError(
        'FAILED_PRECONDITION',
        `"${words}" exited ${code}; the old revision still serves.`,
        `devcloud run ${service.id} -- ${command.map(shellWord).join(' ')}`,
        { fault: 'BEFORE_FAILED', evidence: last },
      )
    }
  }

  /** Creates or updates a job; does not run it. */
  async #applyJob(job: WantedJob): Promise<string> {
    const { api, project, region } = this.#site
    const url = urlOf(this.#site, 'jobs', job.id)
    const body = this.#bodies.job(job, this.#imageOf(job))
    const found = this.#observed.jobs.get(job.id)
    const isUnchanged = found !== undefined && changedFields(found, body).length === 0 && scheduleIn(found) === scheduleIn(body)
    if (found === undefined) {
      await untilDone(api, await api.call('POST', `${run}/projects/${project}/locations/${region}/jobs?jobId=${job.id}`, body))
    } else if (!isUnchanged) await untilDone(api, await api.call('PATCH', url, body))
    const nextMs = this.#parts.jobs.list(project).find(({ id }) => id === job.id)?.nextRunMs
    const done = isUnchanged ? 'unchanged' : found === undefined ? 'created' : 'updated'
    return nextMs === undefined ? done : `${done}, runs next at ${new Date(nextMs).toISOString().slice(0, 16)}Z`
  }

  /** Takes the schedule away; the job stays. */
  async #unschedule(id: string): Promise<string> {
    const job = this.#observed.jobs.get(id)
    if (job === undefined) return 'kept'
    const annotations = Object.entries(job['annotations'] as Json).filter(([key]) => key !== scheduleKey && key !== timeZoneKey)
    const { api } = this.#site
    const body = { ...job, annotations: Object.fromEntries(annotations) }
    await untilDone(api, await api.call('PATCH', urlOf(this.#site, 'jobs', id), body))
    return 'no longer scheduled'
  }
}

/** Adds which revision goes on serving when a new one has failed. */
function stillServing(error: unknown, found: Json | undefined): unknown {
  const revision = lastPart(String(found?.['latestReadyRevision'] ?? ''))
  if (revision === '' || !(error instanceof CloudError)) return error
  const { code, message, next, fault, evidence } = error
  const more = [...evidence, `still serving ${revision}`]
  return new CloudError(code, message, next, { cause: error, evidence: more, ...(fault !== undefined && { fault }) })
}

/** @throws CloudError as the deployment failed */
function untilDone(api: GoogleApi, started: Json): Promise<Json> {
  return waitForOperation(started, (name) => api.call('POST', `${run}/${name}:wait`, { timeout: '10s' }))
}
