import { create } from '@bufbuild/protobuf'
import type { FastifyInstance } from 'fastify'
import {
  CancelExecutionRequestSchema,
  DeleteExecutionRequestSchema,
  GetExecutionRequestSchema,
} from '../../../api/gen/google/cloud/run/v2/execution_pb.ts'
import { JobSchema, RunJobRequestSchema } from '../../../api/gen/google/cloud/run/v2/job_pb.ts'
import type { RunJobs } from '../jobs/index.ts'
import type { RunNeeds } from '../needs.ts'
import { placeOf } from './v1-call.ts'
import { serveCollection } from './v1-collection.ts'
import { executionLabels, taskLabels, toV1Execution, toV1Task } from './v1-execution.ts'
import { fromV1Job, toV1Job } from './v1-job.ts'
import { jobSchema, overridesSchema, readV1 } from './v1-schema.ts'

/** Jobs, executions and tasks over the methods of version 2. */
export function serveJobs(
  app: FastifyInstance,
  needs: RunNeeds,
  { jobs, executions, tasks }: Pick<RunJobs, 'jobs' | 'executions' | 'tasks'>,
): void {
  serveCollection(app, needs, {
    kind: 'Job',
    collection: 'jobs',
    all: (parent) => jobs.all(parent),
    byName: (name) => jobs.getJob({ name }),
    show: toV1Job,
    writes: { read: (body, name) => fromV1Job(readV1(jobSchema, body), name), message: JobSchema, by: jobs.writes },
    verbs: {
      async run({ name }, at) {
        const { overrides } = readV1(overridesSchema, at.body ?? {})
        const asked = create(RunJobRequestSchema, { name, ...(overrides && { overrides: toOverrides(overrides) }) })
        const execution = await jobs.runNow(asked, at.caller)
        return toV1Execution(execution, placeOf(needs, execution.name))
      },
    },
  })
  serveCollection(app, needs, {
    kind: 'Execution',
    collection: 'executions',
    all: (parent) => executions.all(parent),
    show: toV1Execution,
    labelsOf: executionLabels,
    delete: ({ name }, validateOnly) => executions.deleteExecution(create(DeleteExecutionRequestSchema, { name, validateOnly })),
    verbs: {
      async cancel({ name }) {
        await executions.cancelExecution(create(CancelExecutionRequestSchema, { name }))
        return toV1Execution(executions.getExecution(create(GetExecutionRequestSchema, { name })), placeOf(needs, name))
      },
    },
  })
  serveCollection(app, needs, {
    kind: 'Task',
    collection: 'tasks',
    all: (parent) => tasks.all(parent),
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
