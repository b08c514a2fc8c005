import type { Execution } from '../../../api/gen/google/cloud/run/v2/execution_pb.ts'
import type { Task } from '../../../api/gen/google/cloud/run/v2/task_pb.ts'
import { lastPart } from '../../../base/last-part.ts'
import { defaultTaskSeconds } from '../defaults.ts'
import { run, writeAnnotations, type Annotations } from './v1-annotations.ts'
import { taskAnnotations, toTaskSpec } from './v1-job.ts'
import { toCondition, toResource, toTime, type V1Place } from './v1-metadata.ts'
import { writePod } from './v1-pod.ts'
import { environmentAnnotation, podAnnotations, throttlingAnnotation } from './v1-pod-annotations.ts'
import { present, type Json } from './v1-schema.ts'

/** The labels by which clients find a job's executions. */
export function executionLabels({ job, labels }: Execution): Annotations {
  return { ...labels, [`${run}job`]: lastPart(job) }
}

export function toV1Execution(execution: Execution, place: V1Place): Json {
  const { template, runningCount, succeededCount, failedCount, cancelledCount, retriedCount } = execution
  const ofTemplate = template && writeAnnotations(taskAnnotations, template)
  return toResource('Execution', place, execution, {
    labels: executionLabels(execution),
    annotations: { ...execution.annotations, ...ofTemplate, ...present({ [`${run}creator`]: execution.creator }) },
    owner: { kind: 'Job', name: execution.job },
    spec: {
      taskCount: execution.taskCount,
      ...(execution.parallelism !== 0 && { parallelism: execution.parallelism }),
      template: { spec: toTaskSpec(template) },
    },
    status: {
      observedGeneration: Number(execution.observedGeneration),
      conditions: execution.conditions.map(toCondition),
      ...counts({ runningCount, succeededCount, failedCount, cancelledCount, retriedCount }),
      ...(execution.startTime && { startTime: toTime(execution.startTime) }),
      ...(execution.completionTime && { completionTime: toTime(execution.completionTime) }),
      ...present({ logUri: execution.logUri }),
    },
  })
}

/** The labels by which clients find an execution's tasks. */
export function taskLabels({ job, execution, labels, index }: Task): Annotations {
  return { ...labels, [`${run}job`]: lastPart(job), [`${run}execution`]: lastPart(execution), [`${run}taskIndex`]: String(index) }
}

export function toV1Task(task: Task, place: V1Place): Json {
  const { lastAttemptResult: result } = task
  const told = [writeAnnotations([...podAnnotations, throttlingAnnotation], task), writeAnnotations([environmentAnnotation], task)]
  return toResource('Task', place, task, {
    labels: taskLabels(task),
    annotations: Object.assign({}, task.annotations, ...told) as Annotations,
    owner: { kind: 'Execution', name: task.execution },
    spec: { ...writePod(task), maxRetries: task.maxRetries, timeoutSeconds: String(task.timeout?.seconds ?? defaultTaskSeconds) },
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
  })
}

function counts(of: Readonly<Record<string, number>>): Json {
  return Object.fromEntries(Object.entries(of).filter(([, value]) => value !== 0))
}
