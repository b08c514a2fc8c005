import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { isRecord } from '../base/is-record.ts'
import { fromJson } from '@bufbuild/protobuf'
import { RevisionTemplateSchema } from '../api/gen/google/cloud/run/v2/revision_template_pb.ts'
import { checkRegion } from '../api/names.ts'
import { CloudError } from '../base/cloud-error.ts'
import { planText } from '../config/plan-text.ts'
import { readProject } from '../config/read-project.ts'
import type { Wanted, WantedService, WantedSource } from '../config/wanted.ts'
import type { Engine } from '../engine/engine.ts'
import type { CloudRun } from '../products/run/index.ts'
import { infrastructureSteps } from './apply.ts'
import { applyJob, unschedule } from './apply-jobs.ts'
import type { UpEvent, UpRequest } from './control-protocol.ts'
import { type GoogleApi, type Json } from './google-api.ts'
import { isSame } from './is-same.ts'
import type { Projects } from './projects.ts'
import { openToAll } from './open-to-all.ts'
import { composeNotes, versionNotes, wantedBodies } from './wanted-bodies.ts'
import { waitForOperation } from './wait-for-operation.ts'

export interface UpNeeds {
  readonly api: GoogleApi
  readonly run: CloudRun
  readonly projects: Projects
  /** The engine asked for, or the best that answers. */
  readonly chooseEngine: (kind: 'auto' | 'docker' | 'process') => Promise<Engine>
  /** The project's network, and its way to Google's names. */
  readonly openProject: (engine: Engine, project: string, signal: AbortSignal) => Promise<void>
  /** The URL that a browser on this machine opens. */
  readonly urlOf: (project: string, service: string) => string
}

const run = 'https://run.googleapis.com/v2'

/** Makes a project's resources and tells of each step. @throws CloudError, told as the last event by the caller */
export async function up(needs: UpNeeds, request: UpRequest, tell: (event: UpEvent) => void, signal: AbortSignal): Promise<void> {
  const began = performance.now()
  const wanted = await readProject(request.directory)
  checkRegion(wanted.region)
  const bodies = wantedBodies(wanted)
  if (request.plan) return tell({ kind: 'plan', text: planText(wanted, [...bodies.notes, ...versionNotes(wanted)]) })
  const known = needs.projects.get(wanted.project)
  const engine = await needs.chooseEngine(request.engine === 'auto' ? known.engine : request.engine)
  await claim(needs, wanted, engine.kind, tell)
  const hasCompose = existsSync(join(wanted.directory, 'compose/postgres.yaml'))
  for (const { resource, text } of [...bodies.notes, ...composeNotes(wanted, engine.kind, hasCompose)])
    tell({ kind: 'step', id: resource, name: resource, state: 'note', detail: text })
  const step = stepper(tell)
  const images = Promise.all(
    [...wanted.services, ...wanted.jobs.map((job) => ({ ...job, id: `job-${job.id}` }))].map((part) =>
      build(engine, wanted, part, step, tell, signal),
    ),
  )
  images.catch(() => {}) // awaited below, after the infrastructure
  await step('network', 'network', () => needs.openProject(engine, wanted.project, signal).then(() => `${engine.kind} engine`))
  for (const group of infrastructureSteps(needs.api, wanted)) {
    await Promise.all(group.map((part) => step(part.id, part.name, () => part.run())))
  }
  const ready = await images
  let reused = true
  for (const [index, service] of wanted.services.entries()) {
    const changed = await step(`service:${service.id}`, `service ${service.id}`, () =>
      applyService(needs, wanted, service, bodies.service(service, ready[index] ?? ''), tell, signal),
    )
    if (!changed.startsWith('unchanged')) reused = false
  }
  for (const { id, invoker } of wanted.services) await openToAll(needs.api, serviceUrl(wanted, id), invoker === 'all')
  for (const [index, job] of wanted.jobs.entries()) {
    const ofService = wanted.services.findIndex(({ id }) => id === job.service)
    const image = ready[ofService < 0 ? wanted.services.length + index : ofService] ?? ''
    const done = await step(`job:${job.id}`, `job ${job.id}`, () =>
      applyJob(needs.api, needs.run.jobs, wanted, job, bodies.job(job, image)),
    )
    if (!done.startsWith('unchanged')) reused = false
  }
  await unschedule(needs.api, wanted)
  await needs.run.startProject(wanted.project, signal)
  const urls = wanted.services.map((service) => ({ service: service.id, url: needs.urlOf(wanted.project, service.id) }))
  tell({ kind: 'ready', ms: Math.round(performance.now() - began), urls, reused, project: wanted.project })
}

/** A folder owns its project's id: another folder that says the same id is told so, and nothing of the first is touched. */
async function claim(needs: UpNeeds, wanted: Wanted, engine: Engine['kind'], tell: (event: UpEvent) => void): Promise<void> {
  const known = needs.projects.get(wanted.project)
  if (known.directory !== '' && known.directory !== wanted.directory) {
    throw new CloudError(
      'ALREADY_EXISTS',
      `Project "${wanted.project}" is the one of ${known.directory}.`,
      `Set another "project:" in devcloud.yaml, or devcloud clean --project ${wanted.project}`,
      {
        fault: 'PROJECT_TAKEN',
      },
    )
  }
  if (known.engine !== 'auto' && known.engine !== engine) {
    throw new CloudError(
      'FAILED_PRECONDITION',
      `Project "${wanted.project}" runs on the ${known.engine} engine.`,
      `devcloud up --engine ${known.engine}, or devcloud clean --project ${wanted.project} first`,
      {
        fault: 'ENGINE_CHANGED',
      },
    )
  }
  for (const other of needs.projects.list()) {
    if (other.directory !== wanted.directory || other.id === wanted.project) continue
    await needs.projects.put({ ...other, directory: '' }) // the folder speaks of another project now; commands in it mean that one
    const detail = `${other.id} was this folder's before; it goes on until: devcloud clean --project ${other.id}`
    tell({ kind: 'step', id: 'project', name: 'project', state: 'note', detail })
  }
  await needs.projects.put({ id: wanted.project, region: wanted.region, directory: wanted.directory, engine, isUp: true })
}

async function build(
  engine: Engine,
  wanted: Wanted,
  part: { readonly id: string; readonly source?: WantedSource; readonly image?: string },
  step: ReturnType<typeof stepper>,
  tell: (event: UpEvent) => void,
  signal: AbortSignal,
): Promise<string> {
  const { source } = part
  if (source === undefined) return part.image ?? ''
  let image = ''
  await step(`build:${part.id}`, `build ${part.id}`, async () => {
    const built = await engine.build(
      { project: wanted.project, name: part.id, ...source },
      (text) => tell({ kind: 'line', source: `build ${part.id}`, text }),
      signal,
    )
    image = built.image
    return `${built.steps} steps, ${built.cachedSteps} cached`
  })
  return image
}

function serviceUrl({ project, region }: Wanted, id: string): string {
  return `${run}/projects/${project}/locations/${region}/services/${id}`
}

/** Runs what must run before, then creates or updates the service and waits for the operation. */
async function applyService(
  needs: UpNeeds,
  wanted: Wanted,
  service: WantedService,
  body: Json,
  tell: (event: UpEvent) => void,
  signal: AbortSignal,
): Promise<string> {
  const parent = `projects/${wanted.project}/locations/${wanted.region}`
  const url = serviceUrl(wanted, service.id)
  const found = await needs.api.find(url)
  if (found !== undefined && isServing(found) && isSame(found, body)) return 'unchanged'
  await runBefore(needs, wanted, service, body, tell, signal)
  const started =
    found === undefined
      ? needs.api.call('POST', `${run}/${parent}/services?serviceId=${service.id}`, body)
      : needs.api.call('PATCH', url, body)
  const answer = await started
    .then((first) => waitForOperation(needs.api, first))
    .catch((error: unknown) => {
      throw stillServing(error, found)
    })
  return String(answer['latestReadyRevision']).split('/').at(-1) ?? 'ready'
}

async function runBefore(
  needs: UpNeeds,
  wanted: Wanted,
  service: WantedService,
  body: Json,
  tell: (event: UpEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  const template = fromJson(RevisionTemplateSchema, body['template'] as never)
  for (const command of service.before) {
    const words = command.join(' ')
    const last: string[] = []
    const code = await needs.run.runOnce(
      needs.projects.get(wanted.project),
      service.id,
      template,
      command,
      (line) => {
        last.push(line.text)
        if (last.length > 20) last.shift()
        tell({ kind: 'line', source: words, text: line.text })
      },
      signal,
    )
    if (code === 0) continue
    throw new CloudError(
      'FAILED_PRECONDITION',
      `"${words}" exited ${code}; the old revision still serves.`,
      `devcloud run ${service.id} -- ${words}`,
      {
        fault: 'BEFORE_FAILED',
        evidence: last,
      },
    )
  }
}

/** Adds which revision goes on serving when a new one has failed. */
function stillServing(error: unknown, found: Json | undefined): unknown {
  const revision =
    String(found?.['latestReadyRevision'] ?? '')
      .split('/')
      .at(-1) ?? ''
  if (revision === '' || !(error instanceof CloudError)) return error
  const { code, message, next, fault, evidence } = error
  const more = [...evidence, `still serving ${revision}`]
  return new CloudError(code, message, next, { cause: error, evidence: more, ...(fault !== undefined && { fault }) })
}

function isServing(found: Json): boolean {
  const condition = found['terminalCondition']
  return isRecord(condition) && condition['state'] === 'CONDITION_SUCCEEDED' && found['reconciling'] !== true
}

function stepper(tell: (event: UpEvent) => void) {
  return async (id: string, name: string, work: () => Promise<string>): Promise<string> => {
    const began = performance.now()
    tell({ kind: 'step', id, name, state: 'started' })
    try {
      const detail = await work()
      tell({ kind: 'step', id, name, state: 'done', detail, ms: Math.round(performance.now() - began) })
      return detail
    } catch (error) {
      tell({ kind: 'step', id, name, state: 'failed', ms: Math.round(performance.now() - began) })
      throw error
    }
  }
}
