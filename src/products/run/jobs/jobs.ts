import { clone, create } from '@bufbuild/protobuf'
import { Condition_State } from '../../../api/gen/google/cloud/run/v2/condition_pb.ts'
import { ExecutionSchema, type Execution } from '../../../api/gen/google/cloud/run/v2/execution_pb.ts'
import type { ExecutionTemplate } from '../../../api/gen/google/cloud/run/v2/execution_template_pb.ts'
import {
  JobSchema,
  ListJobsResponseSchema,
  type GetJobRequest,
  type Job,
  type ListJobsRequest,
  type ListJobsResponse,
  type RunJobRequest,
} from '../../../api/gen/google/cloud/run/v2/job_pb.ts'
import type { Operation } from '../../../api/gen/google/longrunning/operations_pb.ts'
import { CloudError } from '../../../base/cloud-error.ts'
import { lastPart } from '../../../base/last-part.ts'
import type { Resources } from '../../../state/resources.ts'
import { condition, markReady, markReconciling } from '../conditions.ts'
import { checkEtag } from '../etags.ts'
import { jobKind, locationOf } from '../names.ts'
import type { RunNeeds } from '../needs.ts'
import { aboutResource, openWrites, stamp, type ResourceWrites } from '../resource-writes.ts'
import { openRunResources, rowKinds } from '../resources.ts'
import { unactedFields, unactedWords } from '../unacted-fields.ts'
import type { Controller } from './controller.ts'
import { isOver, toMs } from './execution-status.ts'
import { settleToken, type TokenWork } from './execution-token.ts'
import type { ExecutionApi } from './executions.ts'
import { fillJob } from './fill-job.ts'
import { newExecutionId } from './names.ts'
import { newExecution, toReference } from './new-execution.ts'
import { applyOverrides } from './overrides.ts'

/** Executions kept for a job; the oldest that are over go. Source: cloud.google.com/run/quotas. */
const keptExecutions = 1000

/** google.cloud.run.v2.Jobs. `caller` is an email, for `creator` and `last_modifier`. */
export interface JobApi {
  /** Create, update and delete. */
  readonly writes: ResourceWrites<Job>
  getJob(request: Pick<GetJobRequest, 'name'>): Job
  /** Newest first. */
  listJobs(request: Pick<ListJobsRequest, 'parent' | 'pageSize' | 'pageToken'>): ListJobsResponse
  runJob(request: RunJobRequest, caller: string): Promise<Operation>
  /** Begins an execution as RunJob does, and answers it instead of an operation: what version 1 of the API does. */
  runNow(request: RunJobRequest, caller: string): Promise<Execution>
  /** Those below `parent`, newest first. */
  all(parent: string): readonly Job[]
  /** Its name with the project's id. @throws CloudError NOT_FOUND */
  nameOf(name: string): string
  /** Forgets all below `parent`, not their executions; none is read. */
  removeAll(parent: string): Promise<void>
  /** Ids of the projects that have some. */
  projects(): readonly string[]
  /** Goes on with jobs whose token's execution was under way when an earlier daemon ended. */
  resume(): void
}

/** @param onChange told when a job was stored or removed */
export function openJobs(
  needs: RunNeeds,
  rows: Resources<Execution>,
  controller: Controller,
  executions: ExecutionApi,
  onChange: () => void,
): JobApi {
  const jobs = openRunResources(needs, jobKind, rowKinds.job, [])
  const now = () => new Date(needs.clock.nowMs())
  /** The job as it is told: what its newest execution is now belongs to it. */
  const view = (job: Job): Job => {
    const latest = job.latestCreatedExecution?.name
    const execution = latest === undefined ? undefined : rows.find(`${job.name}/executions/${latest}`)
    if (execution !== undefined) job.latestCreatedExecution = toReference(execution)
    return job
  }
  const shown = (job: Job) => view(clone(JobSchema, job))

  const begin = async (job: Job, template: ExecutionTemplate, id: string, caller: string): Promise<Execution> => {
    const execution = newExecution(job, template, id, caller, needs.clock.nowMs())
    job.executionCount += 1
    job.latestCreatedExecution = toReference(execution)
    await Promise.all([jobs.put(job), controller.begin(execution)])
    await prune(job.name)
    return execution
  }
  const prune = async (job: string) => {
    const parent = `${job}/executions`
    const surplus = rows.names(parent).length - keptExecutions
    if (surplus <= 0) return
    const old = rows.list(parent).filter(isOver).toSorted((a, b) => toMs(a.createTime) - toMs(b.createTime)) // prettier-ignore
    for (const { name } of old.slice(0, surplus)) await executions.remove(name)
  }
  const setReady = (job: Job, failure?: string) => {
    markReady(job, ['ResourcesAvailable'], now())
    if (failure !== undefined) job.terminalCondition = condition('Ready', Condition_State.CONDITION_FAILED, failure, now())
  }
  const tokens: TokenWork = {
    jobs,
    executions: rows,
    controller,
    begin: async (job, id) => job.template && begin(job, job.template, id, job.lastModifier),
    setReady,
  }
  const writes = openWrites(needs, jobKind, JobSchema, jobs, {
    toStored(sent, name, current, caller) {
      const job = fillJob(sent, name)
      stamp(job, current, caller, now())
      job.executionCount = current?.executionCount ?? 0
      if (current?.latestCreatedExecution !== undefined) job.latestCreatedExecution = current.latestCreatedExecution
      if (job.createExecution.case === undefined) setReady(job)
      else markReconciling(job, 'Waiting for the execution.', now())
      return job
    },
    shown,
    /** With a token it is ready when the execution of that name has begun, or is over. */
    async apply(job) {
      const unacted = unactedFields({ ...job, template: job.template?.template })
      if (unacted.length > 0) needs.log.warn({ job: job.name }, unactedWords(unacted))
      queueMicrotask(onChange)
      await jobs.put(job)
      return needs.operations.start(aboutResource(JobSchema, shown(job)), async () => [
        JobSchema,
        shown(job.createExecution.case === undefined ? job : await settleToken(tokens, job.name)),
      ])
    },
    async delete(job) {
      await jobs.delete(job.name)
      onChange()
      const own = rows.names(`${job.name}/executions`)
      return async () => {
        await Promise.all(own.map((name) => executions.remove(name)))
        return job
      }
    },
  })
  /** The execution that a run would make. */
  const planned = (request: RunJobRequest) => {
    const job = jobs.get(request.name)
    checkEtag(request.etag, job.etag)
    if (job.template === undefined) throw new CloudError('INTERNAL', `Job '${job.name}' has no template.`, 'Update it.')
    return { job, template: applyOverrides(job.template, request.overrides), id: newExecutionId(lastPart(job.name)) }
  }

  return {
    writes,
    getJob: ({ name }) => view(jobs.get(name)),
    listJobs(request) {
      const { items, nextPageToken } = jobs.page(request)
      return create(ListJobsResponseSchema, { jobs: items.map(view), nextPageToken })
    },
    async runJob(request, caller) {
      const { job, template, id } = planned(request)
      const execution = newExecution(job, template, id, caller, needs.clock.nowMs())
      const told = { parent: locationOf(job.name), metadata: [ExecutionSchema, execution] } as const
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
    all: (parent) => jobs.newest(parent).map(view),
    nameOf: (name) => jobs.get(name).name,
    async removeAll(parent) {
      await jobs.deleteBelow(parent)
      onChange()
    },
    projects: () => jobs.projects(),
    resume() {
      for (const job of jobs.list(''))
        if (job.reconciling)
          settleToken(tokens, job.name).catch((error: unknown) => needs.log.warn({ err: error, job: job.name }, 'not ready'))
    },
  }
}
