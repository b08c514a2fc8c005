import { clone } from '@bufbuild/protobuf'
import { ExecutionTemplateSchema, type ExecutionTemplate } from '../../../api/gen/google/cloud/run/v2/execution_template_pb.ts'
import type { Container } from '../../../api/gen/google/cloud/run/v2/k8s.min_pb.ts'
import type { TaskTemplate } from '../../../api/gen/google/cloud/run/v2/task_template_pb.ts'
import { ExecutionEnvironment } from '../../../api/gen/google/cloud/run/v2/vendor_settings_pb.ts'
import { unimplemented } from '../../../api/status.ts'
import { CloudError } from '../../../base/cloud-error.ts'
import { limitsOf } from '../instances/amounts.ts'
import { checkContainerValues } from '../instances/container-values.ts'
import { checkLimits } from '../instances/resource-limits.ts'
import { refuseUnemulated } from '../refused-fields.ts'
import { nameContainers } from '../instances/container-rules.ts'
import { checkProbes } from '../instances/probes.ts'
import { startOrder } from '../instances/start-order.ts'
import { checkReservedKeys, checkUserKeys } from '../reserved-keys.ts'
import { checkVolumes } from '../instances/volume-rules.ts'

/** Variables that a task gets and that a user cannot set. Source: contract/cloud-run.md 1, Env and ports. */
const reservedEnv: readonly string[] = [
  'CLOUD_RUN_JOB',
  'CLOUD_RUN_EXECUTION',
  'CLOUD_RUN_TASK_INDEX',
  'CLOUD_RUN_TASK_ATTEMPT',
  'CLOUD_RUN_TASK_COUNT',
]
/** 168 hours, of one attempt. */
const longestSeconds = 168 * 3600

/**
 * Cloud Run's defaults for jobs, written into a copy of what the client sent: 1 task, 3 retries, 10 minutes an attempt, 1 CPU and 512 MiB.
 * @throws CloudError INVALID_ARGUMENT, or UNIMPLEMENTED for what is not emulated
 */
export function withJobDefaults(sent: ExecutionTemplate): ExecutionTemplate {
  const template = clone(ExecutionTemplateSchema, sent)
  checkReservedKeys('template.labels', template.labels)
  checkReservedKeys('template.annotations', template.annotations)
  checkUserKeys('template', template)
  template.taskCount ||= 1
  checkCounts(template.taskCount, template.parallelism)
  const task = template.template
  if (task === undefined) throw invalid('template.template: must be set.', 'Send a task template with a container.')
  if (task.retries.case === undefined) task.retries = { case: 'maxRetries', value: 3 }
  task.timeout ??= { $typeName: 'google.protobuf.Duration', seconds: 600n, nanos: 0 }
  task.executionEnvironment ||= ExecutionEnvironment.GEN2
  for (const [index, container] of task.containers.entries()) fillContainer(container, index)
  checkTask(task)
  return template
}

/** @throws CloudError INVALID_ARGUMENT unless there are 1 to 10,000 tasks, and not more at a time than there are */
export function checkCounts(taskCount: number, parallelism: number): void {
  if (taskCount < 1 || taskCount > 10_000)
    throw invalid(`task_count: must be from 1 to 10000, but is ${taskCount}.`, 'Choose such a number.')
  if (parallelism < 0) throw invalid(`parallelism: must not be negative, but is ${parallelism}.`, 'Leave it out for as many as possible.')
}

/** @throws CloudError INVALID_ARGUMENT unless it is from a second to 168 hours */
export function checkTimeout(seconds: bigint): void {
  if (seconds >= 1n && seconds <= BigInt(longestSeconds)) return
  throw invalid(`timeout: must be from 1 to ${longestSeconds} seconds, but is ${seconds}.`, 'Choose a shorter one.')
}

/** @throws CloudError INVALID_ARGUMENT for a variable that a task gets anyway */
export function checkTaskEnv(names: readonly string[]): void {
  const reserved = names.find((name) => reservedEnv.includes(name))
  if (reserved === undefined) return
  throw invalid(
    `env: The following reserved env names were provided: ${reserved}. These values are automatically set by the system.`,
    `Remove ${reserved}.`,
  )
}

function checkTask(task: TaskTemplate): void {
  const retries = task.retries.value ?? 3
  if (retries < 0 || retries > 10) throw invalid(`max_retries: must be from 0 to 10, but is ${retries}.`, 'Choose such a number.')
  checkTimeout(task.timeout?.seconds ?? 600n)
  if (task.containers.length === 0) throw invalid('template.template.containers: should have at least one element.', 'Name an image.')
  if (task.containers.length > 1) nameContainers(task.containers, 'template.template.containers')
  checkLimits(task.containers.map(limitsOf), undefined)
  startOrder(task)
  checkVolumes(task, false)
  if (task.executionEnvironment === ExecutionEnvironment.GEN1)
    throw invalid('execution_environment: jobs run in the second generation alone.', 'Leave it out.')
  refuseUnemulated(task)
}

function fillContainer(container: Container, index: number): void {
  const place = `template.template.containers[${index}]`
  if (container.image === '') throw invalid(`${place}.image: must not be empty.`, 'Name a container image.')
  if (container.ports.length > 0) throw invalid(`${place}.ports: a job serves no requests and has no ports.`, 'Remove the port.')
  if (container.livenessProbe !== undefined) throw unimplemented('liveness probes of tasks')
  if (container.readinessProbe !== undefined) throw unimplemented('readiness probes of tasks')
  checkProbes(container, place)
  container.resources ??= { $typeName: 'google.cloud.run.v2.ResourceRequirements', limits: {}, cpuIdle: false, startupCpuBoost: false }
  container.resources.limits = { cpu: '1000m', memory: '512Mi', ...container.resources.limits }
  checkContainerValues(container, place)
  checkTaskEnv(container.env.map(({ name }) => name))
}

function invalid(message: string, next: string): CloudError {
  return new CloudError('INVALID_ARGUMENT', message, next)
}
