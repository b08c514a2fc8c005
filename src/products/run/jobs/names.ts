import { jobKind, notAName, readName } from '../names.ts'

/** The parts of `projects/P/locations/R/jobs/J/executions/E`; `-` in a list is any. */
export interface ExecutionName {
  readonly project: string
  readonly region: string
  readonly job: string
  readonly execution: string
}

export interface TaskName extends ExecutionName {
  readonly task: string
}

/** @throws CloudError INVALID_ARGUMENT when `name` has another form, as of all below */
export function readExecutionName(name: string): ExecutionName {
  const [, job = '', execution] = /^(.*)\/executions\/([^/]+)$/.exec(name) ?? []
  if (execution === undefined) throw notAName(name, 'an execution', 'projects/PROJECT/locations/REGION/jobs/JOB/executions/EXECUTION')
  const { project, region, id } = readName(jobKind, job)
  return { project, region, job: id, execution }
}

export function readTaskName(name: string): TaskName {
  const [, execution = '', task] = /^(.*)\/tasks\/([^/]+)$/.exec(name) ?? []
  if (task === undefined) throw notAName(name, 'a task', 'projects/PROJECT/locations/REGION/jobs/JOB/executions/EXECUTION/tasks/TASK')
  return { ...readExecutionName(execution), task }
}

/** `JOB-x7k2q`: five letters and digits, as Cloud Run makes them. */
export function newExecutionId(job: string): string {
  const letters = 'bcdfghjklmnpqrstvwxz2456789'
  const suffix = Array.from(crypto.getRandomValues(new Uint8Array(5)), (byte) => letters[byte % letters.length]).join('')
  return `${job.slice(0, 57)}-${suffix}`
}

/** `EXECUTION-task3` */
export function taskId(execution: string, index: number): string {
  return `${execution}-task${index}`
}
