import { create } from '@bufbuild/protobuf'
import { anyUnpack } from '@bufbuild/protobuf/wkt'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { unimplemented } from '../../../api/status.ts'
import {
  CancelExecutionRequestSchema,
  DeleteExecutionRequestSchema,
  GetExecutionRequestSchema,
  ListExecutionsRequestSchema,
  type Execution,
} from '../../../api/gen/google/cloud/run/v2/execution_pb.ts'
import {
  CreateJobRequestSchema,
  JobSchema,
  RunJobRequestSchema,
  UpdateJobRequestSchema,
  type Job,
} from '../../../api/gen/google/cloud/run/v2/job_pb.ts'
import { ListTasksRequestSchema, type Task } from '../../../api/gen/google/cloud/run/v2/task_pb.ts'
import type { Operation } from '../../../api/gen/google/longrunning/operations_pb.ts'
import { CloudError } from '../../../base/cloud-error.ts'
import type { RunJobs } from '../jobs/index.ts'
import type { RunNeeds } from '../needs.ts'
import { parentOf, placeOf, toCall, toDeleted, toList, type V1Call } from './v1-call.ts'
import { executionLabels, fromV1Job, taskLabels, toV1Execution, toV1Job, toV1Task } from './v1-job.ts'
import { jobSchema, overridesSchema, readV1, type Json } from './v1-schema.ts'

const group = 'run.googleapis.com'
const version = `${group}/v1`

/** Jobs, executions and tasks over the methods of version 2. */
export function serveJobs(
  app: FastifyInstance,
  needs: RunNeeds,
  { jobs, executions, tasks }: Pick<RunJobs, 'jobs' | 'executions' | 'tasks'>,
): void {
  const call = (request: FastifyRequest) => toCall(needs, request)
  const base = (collection: string) => `/apis/${version}/namespaces/:namespace/${collection}`
  const all = ({ project, region }: V1Call) => {
    const found = jobs.all(project.id)
    return region === undefined ? found : found.filter(({ name }) => name.startsWith(`projects/${project.id}/locations/${region}/`))
  }
  /** `projects/P/locations/R` of every region that is asked for. */
  const parents = (at: V1Call) =>
    at.region === undefined ? [...new Set(all(at).map(({ name }) => name.replace(/\/jobs\/.*/, '')))] : [parentOf(at)]
  const nameOf = (at: V1Call, id: string) => all(at).find(({ name }) => name.endsWith(`/jobs/${id}`))?.name ?? `${parentOf(at)}/jobs/${id}`
  const show = (job: Job) => toV1Job(job, placeOf(needs, job.name))
  const written = (operation: Operation, at: V1Call, name: string): Json => {
    const told = at.isDryRun && operation.result.case === 'response' ? anyUnpack(operation.result.value, JobSchema) : undefined
    return show(told ?? jobs.getJob({ name }))
  }

  const createJob = async (request: FastifyRequest) => {
    const at = call(request)
    const body = readV1(jobSchema, at.body)
    const jobId = body.metadata.name ?? ''
    const name = `${parentOf(at)}/jobs/${jobId}`
    const job = fromV1Job(body, name)
    job.etag = ''
    const asked = create(CreateJobRequestSchema, { parent: parentOf(at), jobId, job, validateOnly: at.isDryRun })
    return written(await jobs.createJob(asked, at.caller), at, name)
  }
  const replaceJob = async (request: FastifyRequest) => {
    const at = call(request)
    const name = jobs.nameOf(nameOf(at, at.params['id'] ?? ''))
    const job = fromV1Job(readV1(jobSchema, at.body), name)
    const asked = create(UpdateJobRequestSchema, { job, validateOnly: at.isDryRun })
    return written(await jobs.updateJob(asked, at.caller), at, name)
  }
  const runJob = async (request: FastifyRequest) => {
    const at = call(request)
    const name = nameOf(at, verbOf(at, 'run'))
    const { overrides } = readV1(overridesSchema, at.body ?? {})
    const asked = create(RunJobRequestSchema, { name, ...(overrides && { overrides: toOverrides(overrides) }) })
    const execution = await jobs.runNow(asked, at.caller)
    return toV1Execution(execution, placeOf(needs, execution.name))
  }
  app.post(base('jobs'), (request) => createJob(request))
  app.get(base('jobs'), (request) => toList(call(request), 'JobList', version, all(call(request)), ({ labels }) => labels, show))
  app.get(`${base('jobs')}/:id`, (request) => show(jobs.getJob({ name: nameOf(call(request), call(request).params['id'] ?? '') })))
  app.put(`${base('jobs')}/:id`, (request) => replaceJob(request))
  app.post(`${base('jobs')}/:id`, (request) => runJob(request))
  app.delete(`${base('jobs')}/:id`, (request) => {
    const at = call(request)
    const name = nameOf(at, at.params['id'] ?? '')
    return jobs.deleteJob({ name, etag: '', validateOnly: at.isDryRun }).then(() => toDeleted(group, 'jobs', at.params['id'] ?? ''))
  })

  const allExecutions = (at: V1Call) => parents(at).flatMap((parent) => everyPage((pageToken) => {
    const page = executions.listExecutions(create(ListExecutionsRequestSchema, { parent: `${parent}/jobs/-`, pageSize: 1000, pageToken }))
    return { items: page.executions, nextPageToken: page.nextPageToken }
  })) // prettier-ignore
  const findExecution = (at: V1Call, id: string): Execution => {
    const found = allExecutions(at).find(({ name }) => name.endsWith(`/executions/${id}`))
    if (found !== undefined) return executions.getExecution(create(GetExecutionRequestSchema, { name: found.name }))
    throw new CloudError('NOT_FOUND', `Execution '${id}' was not found.`, 'gcloud run jobs executions list')
  }
  const showExecution = (execution: Execution) => toV1Execution(execution, placeOf(needs, execution.name))
  app.get(base('executions'), (request) =>
    toList(call(request), 'ExecutionList', version, allExecutions(call(request)), executionLabels, showExecution),
  )
  app.get(`${base('executions')}/:id`, (request) => showExecution(findExecution(call(request), call(request).params['id'] ?? '')))
  app.post(`${base('executions')}/:id`, (request) => {
    const at = call(request)
    const { name } = findExecution(at, verbOf(at, 'cancel'))
    const cancelled = executions.cancelExecution(create(CancelExecutionRequestSchema, { name }))
    return cancelled.then(() => showExecution(executions.getExecution(create(GetExecutionRequestSchema, { name }))))
  })
  app.delete(`${base('executions')}/:id`, (request) => {
    const at = call(request)
    const { name } = findExecution(at, at.params['id'] ?? '')
    const deleted = executions.deleteExecution(create(DeleteExecutionRequestSchema, { name, validateOnly: at.isDryRun }))
    return deleted.then(() => toDeleted(group, 'executions', at.params['id'] ?? ''))
  })

  const allTasks = (at: V1Call) => parents(at).flatMap((parent) => everyPage((pageToken) => {
    const page = tasks.listTasks(create(ListTasksRequestSchema, { parent: `${parent}/jobs/-/executions/-`, pageSize: 1000, pageToken }))
    return { items: page.tasks, nextPageToken: page.nextPageToken }
  })) // prettier-ignore
  const showTask = (task: Task) => toV1Task(task, placeOf(needs, task.name))
  app.get(base('tasks'), (request) => toList(call(request), 'TaskList', version, allTasks(call(request)), taskLabels, showTask))
  app.get(`${base('tasks')}/:id`, (request) => {
    const at = call(request)
    const found = allTasks(at).find(({ name }) => name.endsWith(`/tasks/${at.params['id']}`))
    if (found !== undefined) return showTask(found)
    throw new CloudError('NOT_FOUND', `Task '${at.params['id']}' was not found.`, 'gcloud run jobs executions tasks list')
  })
}

/** The id of `ID:verb`. @throws CloudError UNIMPLEMENTED for another verb */
function verbOf({ params }: V1Call, verb: string): string {
  const [id = '', told] = (params['id'] ?? '').split(':')
  if (told === verb) return id
  throw unimplemented(`:${told ?? ''} of ${id}`)
}

function toOverrides(overrides: NonNullable<ReturnType<typeof overridesSchema.parse>['overrides']>) {
  const { taskCount, timeoutSeconds, containerOverrides } = overrides
  return {
    ...(taskCount && { taskCount }),
    ...(timeoutSeconds && { timeout: { seconds: BigInt(timeoutSeconds), nanos: 0 } }),
    containerOverrides: (containerOverrides ?? []).map(({ name, args, env, clearArgs }) => ({
      name: name ?? '',
      args: args ?? [],
      env: (env ?? []).map((variable) => ({ name: variable.name, values: { case: 'value' as const, value: variable.value ?? '' } })),
      clearArgs: clearArgs === true,
    })),
  }
}

function everyPage<T>(read: (pageToken: string) => { readonly items: readonly T[]; readonly nextPageToken: string }): readonly T[] {
  const all: T[] = []
  let token = ''
  do {
    const { items, nextPageToken } = read(token)
    all.push(...items)
    token = nextPageToken
  } while (token !== '')
  return all
}
