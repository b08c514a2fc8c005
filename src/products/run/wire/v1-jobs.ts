import { create } from '@bufbuild/protobuf'
import type { FastifyInstance } from 'fastify'
import {
  CancelExecutionRequestSchema,
  DeleteExecutionRequestSchema,
  GetExecutionRequestSchema,
} from '../../../api/gen/google/cloud/run/v2/execution_pb.ts'
import {
  CreateJobRequestSchema,
  JobSchema,
  RunJobRequestSchema,
  UpdateJobRequestSchema,
  type Job,
} from '../../../api/gen/google/cloud/run/v2/job_pb.ts'
import { CloudError } from '../../../base/cloud-error.ts'
import type { RunJobs } from '../jobs/index.ts'
import type { RunNeeds } from '../needs.ts'
import { placeOf } from './v1-call.ts'
import { findBelow, findDeep, serveCollection, serveWrites, type V1Collection } from './v1-collection.ts'
import { executionLabels, taskLabels, toV1Execution, toV1Task } from './v1-execution.ts'
import { fromV1Job, toV1Job } from './v1-job.ts'
import { jobSchema, overridesSchema, readV1 } from './v1-schema.ts'

/** Jobs, executions and tasks over the methods of version 2. */
export function serveJobs(
  app: FastifyInstance,
  needs: RunNeeds,
  { jobs, executions, tasks }: Pick<RunJobs, 'jobs' | 'executions' | 'tasks'>,
): void {
  const getJob = findBelow('jobs', (parent) => jobs.all(parent), (name) => jobs.getJob({ name })) // prettier-ignore
  const collection: V1Collection<Job> = {
    kind: 'Job',
    all: (parent) => jobs.all(parent),
    get: getJob,
    show: toV1Job,
    labelsOf: ({ labels }) => labels,
    delete: ({ name }, validateOnly) => jobs.deleteJob({ name, etag: '', validateOnly }),
    verbs: {
      async run(at, id) {
        const { overrides } = readV1(overridesSchema, at.body ?? {})
        const { name } = getJob(at, id)
        const execution = await jobs.runNow(
          create(RunJobRequestSchema, { name, ...(overrides && { overrides: toOverrides(overrides) }) }),
          at.caller,
        )
        return toV1Execution(execution, placeOf(needs, execution.name))
      },
    },
  }
  serveCollection(app, needs, collection)
  serveWrites(app, needs, collection, {
    schema: jobSchema,
    message: JobSchema,
    collection: 'jobs',
    from: fromV1Job,
    create: ({ parent, id: jobId, item: job }, { caller, isDryRun: validateOnly }) =>
      jobs.createJob(create(CreateJobRequestSchema, { parent, jobId, job, validateOnly }), caller),
    replace: (job, { caller, isDryRun: validateOnly }) => jobs.updateJob(create(UpdateJobRequestSchema, { job, validateOnly }), caller),
  })

  const missing = (what: string, next: string) => (id: string) => new CloudError('NOT_FOUND', `${what} '${id}' was not found.`, next)
  const getExecution = findDeep('executions', (parent) => executions.all(parent), missing('Execution', 'gcloud run jobs executions list'))
  serveCollection(app, needs, {
    kind: 'Execution',
    all: (parent) => executions.all(parent),
    get: getExecution,
    show: toV1Execution,
    labelsOf: executionLabels,
    delete: ({ name }, validateOnly) => executions.deleteExecution(create(DeleteExecutionRequestSchema, { name, validateOnly })),
    verbs: {
      async cancel(at, id) {
        const { name } = getExecution(at, id)
        await executions.cancelExecution(create(CancelExecutionRequestSchema, { name }))
        return toV1Execution(executions.getExecution(create(GetExecutionRequestSchema, { name })), placeOf(needs, name))
      },
    },
  })
  serveCollection(app, needs, {
    kind: 'Task',
    all: (parent) => tasks.all(parent),
    get: findDeep('tasks', (parent) => tasks.all(parent), missing('Task', 'gcloud run jobs executions tasks list')),
    show: toV1Task,
    labelsOf: taskLabels,
  })
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
