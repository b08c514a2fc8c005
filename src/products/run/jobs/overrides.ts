import { clone } from '@bufbuild/protobuf'
import { ExecutionTemplateSchema, type ExecutionTemplate } from '../../../api/gen/google/cloud/run/v2/execution_template_pb.ts'
import type { RunJobRequest_Overrides } from '../../../api/gen/google/cloud/run/v2/job_pb.ts'
import { invalid } from '../invalid.ts'
import { reservedEnv } from '../defaults.ts'
import { checkReservedEnv } from '../instances/container-rules.ts'
import { checkCounts, checkTimeout } from './job-template.ts'

/**
 * The job's template as one execution takes it: args replace, variables merge, counts and timeout replace (RunJobRequest.Overrides).
 * @throws CloudError INVALID_ARGUMENT
 */
export function applyOverrides(template: ExecutionTemplate, overrides: RunJobRequest_Overrides | undefined): ExecutionTemplate {
  const merged = clone(ExecutionTemplateSchema, template)
  const task = merged.template
  if (overrides === undefined || task === undefined) return merged
  if (overrides.taskCount !== 0) merged.taskCount = overrides.taskCount
  checkCounts(merged.taskCount, merged.parallelism)
  if (overrides.timeout !== undefined) {
    checkTimeout(overrides.timeout.seconds)
    task.timeout = overrides.timeout
  }
  for (const { name, args, env, clearArgs } of overrides.containerOverrides) {
    const container = name === '' ? task.containers[0] : task.containers.find((found) => found.name === name)
    if (container === undefined) throw invalid(`overrides: The job has no container "${name}".`, 'Leave the name out.')
    if (clearArgs && args.length > 0) throw invalid('overrides: clear_args is set beside args.', 'Send one of them.')
    checkReservedEnv('env', env, reservedEnv.task)
    if (clearArgs || args.length > 0) container.args = [...args]
    const told = new Set(env.map((variable) => variable.name))
    container.env = [...container.env.filter((variable) => !told.has(variable.name)), ...env]
  }
  return merged
}
