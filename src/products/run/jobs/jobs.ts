import { clone, create } from '@bufbuild/protobuf'
import { timestampFromMs } from '@bufbuild/protobuf/wkt'
import { LaunchStage } from '../../../api/gen/google/api/launch_stage_pb.ts'
import { Condition_State } from '../../../api/gen/google/cloud/run/v2/condition_pb.ts'
import { ExecutionSchema, type Execution } from '../../../api/gen/google/cloud/run/v2/execution_pb.ts'
import type { ExecutionTemplate } from '../../../api/gen/google/cloud/run/v2/execution_template_pb.ts'
import {
  JobSchema,
  ListJobsResponseSchema,
  type CreateJobRequest,
  type DeleteJobRequest,
  type GetJobRequest,
  type Job,
  type ListJobsRequest,
  type ListJobsResponse,
  type RunJobRequest,
  type UpdateJobRequest,
} from '../../../api/gen/google/cloud/run/v2/job_pb.ts'
import type { Operation } from '../../../api/gen/google/longrunning/operations_pb.ts'
import type { Packed } from '../../../api/operations.ts'
import { paginateList } from '../../../api/pages.ts'
import { readMessage, writeMessage } from '../../../api/message-row.ts'
import { CloudError } from '../../../base/cloud-error.ts'
import { lastPart } from '../../../base/last-part.ts'
import { openCollection, projectsIn } from '../../../state/collection.ts'
import { byNewest } from '../by-newest.ts'
import type { RunNeeds } from '../needs.ts'
import { condition, markReady, markReconciling } from '../conditions.ts'
import { checkEtag, newEtag } from '../etags.ts'
import { checkId, jobKind, locationOf, notFound, readName } from '../names.ts'
import type { Controller } from './controller.ts'
import type { ExecutionRows } from './execution-rows.ts'
import { isOver, toMs } from './execution-status.ts'
import type { ExecutionApi } from './executions.ts'
import { fillJob } from './fill-job.ts'
import { newExecutionId } from './names.ts'
import { newExecution, toReference } from './new-execution.ts'
import { applyOverrides } from './overrides.ts'
import { unactedFields, unactedWords } from '../unacted-fields.ts'

/** Executions kept for a job; the oldest that are over go. Source: cloud.google.com/run/quotas. */
const keptExecutions = 1000

/** google.cloud.run.v2.Jobs. `caller` is an email, for `creator` and `last_modifier`. */
export interface JobApi {
  createJob(request: CreateJobRequest, caller: string): Promise<Operation>
  getJob(request: Pick<GetJobRequest, 'name'>): Job
  /** Newest first. */
  listJobs(request: Pick<ListJobsRequest, 'parent' | 'pageSize' | 'pageToken'>): ListJobsResponse
  /** Full replacement: there is no mask. */
  updateJob(request: UpdateJobRequest, caller: string): Promise<Operation>
  deleteJob(request: Pick<DeleteJobRequest, 'name' | 'etag' | 'validateOnly'>): Promise<Operation>
  runJob(request: RunJobRequest, caller: string): Promise<Operation>
  /** Begins an execution as RunJob does, and answers it instead of an operation: what version 1 of the API does. */
  runNow(request: RunJobRequest, caller: string): Promise<Execution>
  /** Those whose names begin with `prefix`, newest first. */
  all(prefix: string): readonly Job[]
  /** Its name with the project's id. @throws CloudError NOT_FOUND */
  nameOf(name: string): string
  /** Forgets all under `prefix`, not their executions; none is read. */
  removeAll(prefix: string): Promise<void>
  /** Ids of the projects that have some. */
  projects(): readonly string[]
  /** Goes on with jobs whose token's execution was under way when an earlier daemon ended. */
  resume(): void
}

/** @param onChange told when a job was stored or removed */
export function openJobs(
  needs: RunNeeds,
  rows: ExecutionRows,
  controller: Controller,
  executions: ExecutionApi,
  onChange: () => void,
): JobApi {
  const jobs = openCollection(needs.state, 'run.job')
  const read = (value: string): Job => readMessage(JobSchema, value)
  const put = (job: Job) => jobs.put(job.name, writeMessage(JobSchema, job))
  const canonical = (name: string) => {
    const { project, region, id } = readName(jobKind, name)
    return `projects/${needs.project(project).id}/locations/${region}/jobs/${id}`
  }
  const find = (name: string): Job | undefined => {
    const value = jobs.get(canonical(name))
    return value === undefined ? undefined : read(value)
  }
  const get = (name: string): Job => {
    const job = find(name)
    if (job !== undefined) return job
    throw notFound(jobKind, readName(jobKind, name))
  }
  /** The job as it is told: what its newest execution is now belongs to it. */
  const view = (job: Job): Job => {
    const latest = job.latestCreatedExecution?.name
    const execution = latest === undefined ? undefined : rows.get(`${job.name}/executions/${latest}`)
    if (execution !== undefined) job.latestCreatedExecution = toReference(execution)
    return job
  }
  const about = (job: Job): { parent: string; metadata: Packed<typeof JobSchema> } => ({
    parent: locationOf(job.name),
    metadata: [JobSchema, view(clone(JobSchema, job))],
  })
  const done = (job: Job) => needs.operations.done(about(job), about(job).metadata)

  const begin = async (job: Job, template: ExecutionTemplate, id: string, caller: string): Promise<Execution> => {
    const execution = newExecution(job, template, id, caller, needs.clock.nowMs())
    job.executionCount += 1
    job.latestCreatedExecution = toReference(execution)
    await Promise.all([put(job), controller.begin(execution)])
    await prune(job.name)
    return execution
  }
  const prune = async (job: string) => {
    const all = rows.list(`${job}/executions/`)
    if (all.length <= keptExecutions) return
    const old = all.filter(isOver).toSorted((a, b) => toMs(a.createTime) - toMs(b.createTime))
    for (const { name } of old.slice(0, all.length - keptExecutions)) await executions.remove(name)
  }

  /** Stores `job`. With a token it is ready when the execution of that name has begun, or is over. */
  const apply = async (job: Job, caller: string): Promise<Operation> => {
    const token = job.createExecution.value
    const unacted = unactedFields({ ...job, template: job.template?.template })
    if (unacted.length > 0) needs.log.warn({ job: job.name }, unactedWords(unacted))
    queueMicrotask(onChange)
    if (token === undefined) {
      setReady(job)
      await put(job)
      return needs.operations.start(about(job), async () => about(job).metadata)
    }
    markReconciling(job, 'Waiting for the execution.', now())
    await put(job)
    return needs.operations.start(about(job), async () => {
      const settled = await settleToken(job.name, caller)
      return about(settled).metadata
    })
  }
  const settleToken = async (name: string, caller: string): Promise<Job> => {
    const job = get(name)
    const { case: kind, value: token = '' } = job.createExecution
    const id = `${lastPart(name)}-${token}`
    const fullName = `${name}/executions/${id}`
    if (rows.get(fullName) === undefined && job.template !== undefined) await begin(job, job.template, id, caller)
    const failure = await executionReached(fullName, kind === 'runExecutionToken')
    const current = get(name)
    setReady(current, failure)
    await put(current)
    if (failure !== undefined) throw new CloudError('FAILED_PRECONDITION', failure, `devcloud logs ${lastPart(name)}`)
    return current
  }
  /** Resolves when the execution has begun or, with `isWhole`, is over; with the words of its failure when it failed. */
  const executionReached = async (name: string, isWhole: boolean): Promise<string | undefined> => {
    const begun = Promise.withResolvers<void>()
    const unwatch = controller.watch(name, ({ startTime }) => void (startTime !== undefined && begun.resolve()))
    if (rows.get(name)?.startTime !== undefined) begun.resolve()
    const over = controller.over(name)
    await (isWhole ? over : Promise.race([begun.promise, over])).finally(unwatch)
    const completed = rows.get(name)?.conditions.find(({ type }) => type === 'Completed')
    return completed?.state === Condition_State.CONDITION_FAILED ? completed.message : undefined
  }
  const now = () => new Date(needs.clock.nowMs())
  const setReady = (job: Job, failure?: string) => {
    markReady(job, ['ResourcesAvailable'], now())
    if (failure !== undefined) job.terminalCondition = condition('Ready', Condition_State.CONDITION_FAILED, failure, now())
  }

  const make = (sent: Job | undefined, name: string, caller: string): Job => {
    const job = fillJob(sent ?? create(JobSchema), name)
    job.uid = crypto.randomUUID()
    job.generation = 1n
    job.creator = caller
    job.createTime = timestampFromMs(needs.clock.nowMs())
    return stamped(job, caller)
  }
  const stamped = (job: Job, caller: string): Job => {
    job.lastModifier = caller
    job.launchStage ||= LaunchStage.GA
    job.updateTime = timestampFromMs(needs.clock.nowMs())
    job.etag = newEtag()
    return job
  }
  /** The execution that a run would make. */
  const planned = (request: RunJobRequest) => {
    const job = get(request.name)
    checkEtag(request.etag, job.etag)
    if (job.template === undefined) throw new CloudError('INTERNAL', `Job '${job.name}' has no template.`, 'Update it.')
    return { job, template: applyOverrides(job.template, request.overrides), id: newExecutionId(lastPart(job.name)) }
  }

  return {
    async createJob(request, caller) {
      checkId(jobKind, request.jobId)
      const name = canonical(`${request.parent}/jobs/${request.jobId}`)
      if (find(name) !== undefined)
        throw new CloudError('ALREADY_EXISTS', `Resource '${request.jobId}' already exists.`, 'Update it, or choose another id.')
      const job = make(request.job, name, caller)
      if (!request.validateOnly) return apply(job, caller)
      setReady(job)
      return done(job)
    },
    getJob: ({ name }) => view(get(name)),
    listJobs(request) {
      const { project, region } = readName(jobKind, `${request.parent}/jobs/x`)
      const prefix = `projects/${needs.project(project).id}/locations/${region}/jobs/`
      const all = jobs.list(prefix).map(({ value }) => read(value))
      const page = paginateList(all.toSorted(byNewest), request.pageSize, request.pageToken)
      return create(ListJobsResponseSchema, { jobs: page.items.map(view), nextPageToken: page.nextPageToken })
    },
    async updateJob(request, caller) {
      const sent = request.job ?? create(JobSchema)
      const name = canonical(sent.name)
      const current = find(name)
      if (current === undefined && !request.allowMissing) get(name)
      if (current === undefined) checkId(jobKind, lastPart(name))
      else checkEtag(sent.etag, current.etag)
      const job = current === undefined ? make(sent, name, caller) : stamped(keepServerFields(fillJob(sent, name), current), caller)
      if (!request.validateOnly) return apply(job, caller)
      setReady(job)
      return done(job)
    },
    async deleteJob(request) {
      const job = get(request.name)
      checkEtag(request.etag, job.etag)
      if (request.validateOnly) return done(job)
      await jobs.delete(job.name)
      onChange()
      const own = rows.list(`${job.name}/executions/`).map(({ name }) => name)
      return needs.operations.start(about(job), async () => {
        await Promise.all(own.map((name) => executions.remove(name)))
        job.deleteTime = timestampFromMs(needs.clock.nowMs())
        return about(job).metadata
      })
    },
    async runJob(request, caller) {
      const { job, template, id } = planned(request)
      const execution = newExecution(job, template, id, caller, needs.clock.nowMs())
      const told = { parent: about(job).parent, metadata: [ExecutionSchema, execution] } as const
      if (request.validateOnly) return needs.operations.done(told, told.metadata)
      const begun = await begin(job, template, id, caller)
      return needs.operations.start({ ...told, metadata: [ExecutionSchema, begun], key: begun.name }, (tell) =>
        executions.follow(begun.name, tell),
      )
    },
    async runNow(request, caller) {
      const { job, template, id } = planned(request)
      if (request.validateOnly) return newExecution(job, template, id, caller, needs.clock.nowMs())
      return begin(job, template, id, caller)
    },
    all: (prefix) =>
      jobs
        .list(prefix)
        .map(({ value }) => view(read(value)))
        .toSorted(byNewest),
    nameOf: (name) => get(name).name,
    async removeAll(prefix) {
      await jobs.deleteAll(prefix)
      onChange()
    },
    projects: () => projectsIn(jobs),
    resume() {
      for (const { value } of jobs.list('')) {
        const job = read(value)
        if (job.reconciling)
          settleToken(job.name, job.lastModifier).catch((error: unknown) => needs.log.warn({ err: error, job: job.name }, 'not ready'))
      }
    },
  }
}

function keepServerFields(job: Job, current: Job): Job {
  job.uid = current.uid
  job.generation = current.generation + 1n
  job.observedGeneration = current.observedGeneration
  job.creator = current.creator
  if (current.createTime !== undefined) job.createTime = current.createTime
  job.executionCount = current.executionCount
  if (current.latestCreatedExecution !== undefined) job.latestCreatedExecution = current.latestCreatedExecution
  return job
}
