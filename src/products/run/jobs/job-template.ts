import { clone } from '@bufbuild/protobuf'
import { ExecutionTemplateSchema, type ExecutionTemplate } from '../../../api/gen/google/cloud/run/v2/execution_template_pb.ts'
import type { TaskTemplate } from '../../../api/gen/google/cloud/run/v2/task_template_pb.ts'
import { ExecutionEnvironment } from '../../../api/gen/google/cloud/run/v2/vendor_settings_pb.ts'
import { invalid } from '../invalid.ts'
import { refuseUnemulated } from '../refused-fields.ts'
import { defaultRetries, defaultTaskSeconds, reservedEnv } from '../defaults.ts'
import { fillContainers, type ContainerRules } from '../instances/container-rules.ts'
import { checkReservedKeys, checkUserKeys } from '../reserved-keys.ts'

const rules: ContainerRules = {
  field: 'template.template.containers',
  work: { one: 'a job', many: 'tasks' },
  reservedEnv: reservedEnv.task,
}
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
  if (task.retries.case === undefined) task.retries = { case: 'maxRetries', value: defaultRetries }
  task.timeout ??= { $typeName: 'google.protobuf.Duration', seconds: defaultTaskSeconds, nanos: 0 }
  task.executionEnvironment ||= ExecutionEnvironment.GEN2
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

function checkTask(task: TaskTemplate): void {
  const retries = task.retries.value ?? defaultRetries
  if (retries < 0 || retries > 10) throw invalid(`max_retries: must be from 0 to 10, but is ${retries}.`, 'Choose such a number.')
  checkTimeout(task.timeout?.seconds ?? defaultTaskSeconds)
  fillContainers(task, rules)
  if (task.executionEnvironment === ExecutionEnvironment.GEN1)
    throw invalid('execution_environment: jobs run in the second generation alone.', 'Leave it out.')
  refuseUnemulated(task)
}
