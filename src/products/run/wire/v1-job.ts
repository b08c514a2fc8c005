import { create } from '@bufbuild/protobuf'
import { LaunchStageSchema } from '../../../api/gen/google/api/launch_stage_pb.ts'
import type { Execution } from '../../../api/gen/google/cloud/run/v2/execution_pb.ts'
import { JobSchema, type Job } from '../../../api/gen/google/cloud/run/v2/job_pb.ts'
import type { Task } from '../../../api/gen/google/cloud/run/v2/task_pb.ts'
import type { TaskTemplate } from '../../../api/gen/google/cloud/run/v2/task_template_pb.ts'
import { isReservedKey } from '../reserved-keys.ts'
import { readLaunchStage, refuseUnknownAnnotations } from './v1-annotations.ts'
import { fromBinaryAuthorization, toBinaryAuthorization } from './v1-binary-authorization.ts'
import { fromResourceVersion, toCondition, toMeta, toTime, type V1Place } from './v1-metadata.ts'
import { present, type Json, type V1Job } from './v1-schema.ts'
import { fromPod, podAnnotations, toPod } from './v1-template.ts'

const run = 'run.googleapis.com/'
const group = 'run.googleapis.com'

const client = ['client-name', 'client-version', 'operation-id', 'launch-stage', 'creator', 'lastModifier'].map((name) => run + name)
const knative = ['creator', 'lastModifier'].map((name) => `serving.knative.dev/${name}`)

/** Annotations of a Job that are fields of version 2, or that the server writes; and those of its template. */
const jobAnnotations = new Set([...client, ...knative, `${run}binary-authorization`, `${run}binary-authorization-breakglass`])
const executionAnnotations = new Set([...client, ...knative, ...podAnnotations])

/** A Job of version 1 as version 2 says it. @param name its full name */
export function fromV1Job({ metadata, spec }: V1Job, name: string): Job {
  const annotations = metadata.annotations ?? {}
  const { metadata: ofExecution, spec: execution } = spec.template
  const told = ofExecution?.annotations ?? {}
  refuseUnknownAnnotations(annotations, 'Job', jobAnnotations)
  refuseUnknownAnnotations(told, 'Execution', executionAnnotations)
  const task = execution.template.spec
  const { vpcAccess, ...pod } = fromPod(task, told)
  const accelerator = task.nodeSelector?.[`${run}accelerator`]
  const token: Job['createExecution'] = spec.runExecutionToken
    ? { case: 'runExecutionToken', value: spec.runExecutionToken }
    : spec.startExecutionToken
      ? { case: 'startExecutionToken', value: spec.startExecutionToken }
      : { case: undefined }
  return create(JobSchema, {
    name,
    etag: fromResourceVersion(metadata.resourceVersion),
    labels: ofUser(metadata.labels),
    annotations: ofUser(annotations),
    client: annotations[`${run}client-name`] ?? '',
    clientVersion: annotations[`${run}client-version`] ?? '',
    launchStage: readLaunchStage(annotations),
    createExecution: token,
    ...fromBinaryAuthorization(annotations),
    template: {
      labels: ofUser(ofExecution?.labels),
      annotations: ofUser(told),
      parallelism: execution.parallelism ?? 0,
      taskCount: execution.taskCount ?? 0,
      template: {
        ...pod,
        ...(task.maxRetries !== undefined && task.maxRetries !== null && { retries: { case: 'maxRetries', value: task.maxRetries } }),
        ...(task.timeoutSeconds && { timeout: { seconds: BigInt(task.timeoutSeconds), nanos: 0 } }),
        ...(vpcAccess !== undefined && { vpcAccess }),
        ...(accelerator !== undefined && { nodeSelector: { accelerator } }),
      },
    },
  })
}

export function toV1Job(job: Job, place: V1Place): Json {
  const { template, latestCreatedExecution: latest } = job
  const pod = toTaskSpec(template?.template)
  const annotations = {
    ...job.annotations,
    [`${run}creator`]: job.creator,
    [`${run}lastModifier`]: job.lastModifier,
    [`${run}client-name`]: job.client,
    [`${run}client-version`]: job.clientVersion,
    [`${run}launch-stage`]: job.launchStage === 0 || job.launchStage === 4 ? '' : (LaunchStageSchema.value[job.launchStage]?.name ?? ''),
    ...toBinaryAuthorization(job),
  }
  return {
    apiVersion: `${group}/v1`,
    kind: 'Job',
    metadata: toMeta(place, group, 'jobs', job, job.labels, present(annotations) as Record<string, string>),
    spec: {
      ...tokenOf(job),
      template: {
        metadata: present({ labels: template?.labels, annotations: { ...template?.annotations, ...pod.annotations } }),
        spec: {
          taskCount: template?.taskCount ?? 1,
          ...(template?.parallelism && { parallelism: template.parallelism }),
          template: { spec: pod.spec },
        },
      },
    },
    status: {
      observedGeneration: Number(job.reconciling ? job.observedGeneration : job.generation),
      conditions: (job.terminalCondition === undefined ? [] : [job.terminalCondition, ...job.conditions]).map(toCondition),
      ...(job.executionCount !== 0 && { executionCount: job.executionCount }),
      ...(latest !== undefined && {
        latestCreatedExecution: {
          name: latest.name.split('/').at(-1),
          ...(latest.createTime && { creationTimestamp: toTime(latest.createTime) }),
          ...(latest.completionTime && { completionTimestamp: toTime(latest.completionTime) }),
        },
      }),
    },
  }
}

/** The labels by which clients find a job's executions. */
export function executionLabels({ job, labels }: Execution): Readonly<Record<string, string>> {
  return { ...labels, [`${run}job`]: idOf(job) }
}

export function toV1Execution(execution: Execution, place: V1Place): Json {
  const { spec, annotations } = toTaskSpec(execution.template)
  const own = { ...execution.annotations, ...annotations, [`${run}creator`]: execution.creator }
  const meta = toMeta(place, group, 'executions', execution, executionLabels(execution), present(own) as Record<string, string>)
  return {
    apiVersion: `${group}/v1`,
    kind: 'Execution',
    metadata: { ...meta, ownerReferences: [ownerOf('Job', execution.job)] },
    spec: {
      taskCount: execution.taskCount,
      ...(execution.parallelism !== 0 && { parallelism: execution.parallelism }),
      template: { spec },
    },
    status: {
      observedGeneration: Number(execution.observedGeneration),
      conditions: execution.conditions.map(toCondition),
      ...counts({
        runningCount: execution.runningCount,
        succeededCount: execution.succeededCount,
        failedCount: execution.failedCount,
        cancelledCount: execution.cancelledCount,
        retriedCount: execution.retriedCount,
      }),
      ...(execution.startTime && { startTime: toTime(execution.startTime) }),
      ...(execution.completionTime && { completionTime: toTime(execution.completionTime) }),
      ...present({ logUri: execution.logUri }),
    },
  }
}

/** The labels by which clients find an execution's tasks. */
export function taskLabels({ job, execution, labels, index }: Task): Readonly<Record<string, string>> {
  return { ...labels, [`${run}job`]: idOf(job), [`${run}execution`]: idOf(execution), [`${run}taskIndex`]: String(index) }
}

export function toV1Task(task: Task, place: V1Place): Json {
  const pod = toPod({ ...task, vpcAccess: task.vpcAccess })
  const result = task.lastAttemptResult
  const own = { ...task.annotations, ...pod.annotations }
  const meta = toMeta(place, group, 'tasks', task, taskLabels(task), own)
  return {
    apiVersion: `${group}/v1`,
    kind: 'Task',
    metadata: { ...meta, ownerReferences: [ownerOf('Execution', task.execution)] },
    spec: { ...pod.spec, maxRetries: task.maxRetries, timeoutSeconds: String(task.timeout?.seconds ?? 600n) },
    status: {
      index: task.index,
      observedGeneration: Number(task.observedGeneration),
      conditions: task.conditions.map(toCondition),
      ...counts({ retried: task.retried }),
      ...(task.startTime && { startTime: toTime(task.startTime) }),
      ...(task.completionTime && { completionTime: toTime(task.completionTime) }),
      ...(result && {
        lastAttemptResult: {
          exitCode: result.exitCode,
          ...(result.status && { status: { code: result.status.code, message: result.status.message } }),
        },
      }),
    },
  }
}

function toTaskSpec(template: TaskTemplate | undefined): { readonly spec: Json; readonly annotations: Readonly<Record<string, string>> } {
  if (template === undefined) return { spec: {}, annotations: {} }
  const pod = toPod({ ...template, vpcAccess: template.vpcAccess })
  const { 'run.googleapis.com/cpu-throttling': _always, ...annotations } = pod.annotations // a task has its CPU until it ends
  const maxRetries = template.retries.case === 'maxRetries' ? template.retries.value : 3
  return { spec: { ...pod.spec, maxRetries, timeoutSeconds: String(template.timeout?.seconds ?? 600n) }, annotations }
}

/** Keys of Google's own domains are fields of version 2, or written by the server: version 2 takes none of them as they are. */
function ofUser(map: Readonly<Record<string, string>> | null | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(map ?? {}).filter(([key]) => !isReservedKey(key)))
}

function tokenOf({ createExecution }: Job): Json {
  return createExecution.case === undefined ? {} : { [createExecution.case]: createExecution.value }
}

function ownerOf(kind: string, name: string): Json {
  return { apiVersion: `${group}/v1`, kind, name: idOf(name), controller: true, blockOwnerDeletion: true }
}

function counts(of: Readonly<Record<string, number>>): Json {
  return Object.fromEntries(Object.entries(of).filter(([, value]) => value !== 0))
}

function idOf(name: string): string {
  return name.split('/').at(-1) ?? ''
}
