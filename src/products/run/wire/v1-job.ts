import { create } from '@bufbuild/protobuf'
import { JobSchema, type Job } from '../../../api/gen/google/cloud/run/v2/job_pb.ts'
import { TaskTemplateSchema, type TaskTemplate } from '../../../api/gen/google/cloud/run/v2/task_template_pb.ts'
import { lastPart } from '../../../base/last-part.ts'
import { defaultRetries, defaultTaskSeconds } from '../defaults.ts'
import {
  authorAnnotations,
  commonAnnotations,
  passedAnnotations,
  readAnnotations,
  run,
  serving,
  userKeys,
  writeAnnotations,
  type Annotation,
} from './v1-annotations.ts'
import { fromResourceVersion, settledGeneration, toConditions, toResource, toTime, type V1Place } from './v1-metadata.ts'
import { readPod, writePod } from './v1-pod.ts'
import { environmentAnnotation, podAnnotations } from './v1-pod-annotations.ts'
import { present, type Json, type V1Job } from './v1-schema.ts'

const jobAnnotations: readonly Annotation<Job>[] = [
  ...commonAnnotations,
  ...authorAnnotations(run),
  ...authorAnnotations(serving).map(({ key }) => ({ key })),
]

/** Of a task's template, which stand with its execution. */
export const taskAnnotations: readonly Annotation<Omit<TaskTemplate, '$typeName' | '$unknown'>>[] = [
  ...podAnnotations,
  environmentAnnotation,
  ...passedAnnotations,
]

/** A Job of version 1 as version 2 says it. @param name its full name */
export function fromV1Job({ metadata, spec }: V1Job, name: string): Job {
  const annotations = metadata.annotations ?? {}
  const { metadata: ofExecution, spec: execution } = spec.template
  const job = create(JobSchema, {
    name,
    etag: fromResourceVersion(metadata.resourceVersion),
    labels: userKeys(metadata.labels),
    annotations: userKeys(annotations),
    template: {
      labels: userKeys(ofExecution?.labels),
      annotations: userKeys(ofExecution?.annotations),
      parallelism: execution.parallelism ?? 0,
      taskCount: execution.taskCount ?? 0,
      template: fromTask(execution.template.spec),
    },
  })
  if (spec.runExecutionToken) job.createExecution = { case: 'runExecutionToken', value: spec.runExecutionToken }
  else if (spec.startExecutionToken) job.createExecution = { case: 'startExecutionToken', value: spec.startExecutionToken }
  readAnnotations(jobAnnotations, 'Job', annotations, job)
  if (job.template?.template !== undefined)
    readAnnotations(taskAnnotations, 'Execution', ofExecution?.annotations ?? {}, job.template.template)
  return job
}

export function toV1Job(job: Job, place: V1Place): Json {
  const { template, latestCreatedExecution: latest } = job
  const task = template?.template
  return toResource('Job', place, job, {
    annotations: { ...job.annotations, ...writeAnnotations(jobAnnotations, job) },
    spec: {
      ...(job.createExecution.case !== undefined && { [job.createExecution.case]: job.createExecution.value }),
      template: {
        metadata: present({
          labels: template?.labels,
          annotations: { ...template?.annotations, ...(task && writeAnnotations(taskAnnotations, task)) },
        }),
        spec: {
          taskCount: template?.taskCount ?? 1,
          ...(template?.parallelism && { parallelism: template.parallelism }),
          template: { spec: toTaskSpec(task) },
        },
      },
    },
    status: {
      observedGeneration: settledGeneration(job),
      conditions: toConditions(job),
      ...(job.executionCount !== 0 && { executionCount: job.executionCount }),
      ...(latest !== undefined && {
        latestCreatedExecution: {
          name: lastPart(latest.name),
          ...(latest.createTime && { creationTimestamp: toTime(latest.createTime) }),
          ...(latest.completionTime && { completionTimestamp: toTime(latest.completionTime) }),
        },
      }),
    },
  })
}

export function toTaskSpec(template: TaskTemplate | undefined): Json {
  if (template === undefined) return {}
  const maxRetries = template.retries.value ?? defaultRetries
  return { ...writePod(template), maxRetries, timeoutSeconds: String(template.timeout?.seconds ?? defaultTaskSeconds) }
}

function fromTask(task: V1Job['spec']['template']['spec']['template']['spec']): TaskTemplate {
  return create(TaskTemplateSchema, {
    ...readPod(task),
    ...(task.maxRetries !== undefined && task.maxRetries !== null && { retries: { case: 'maxRetries', value: task.maxRetries } }),
    ...(task.timeoutSeconds && { timeout: { seconds: BigInt(task.timeoutSeconds), nanos: 0 } }),
  })
}
