import { CloudError } from '../../../base/cloud-error.ts'

/** The parts of `projects/P/locations/R/jobs/J`, or `jobs/-` in a list. */
export interface JobName {
  readonly project: string
  readonly region: string
  readonly job: string
}

export interface ExecutionName extends JobName {
  readonly execution: string
}

export interface TaskName extends ExecutionName {
  readonly task: string
}

/** @throws CloudError INVALID_ARGUMENT when `name` has another form, as of all below */
export function readJobName(name: string): JobName {
  const [, project, region, job] = /^projects\/([^/]+)\/locations\/([^/]+)\/jobs\/([^/]+)$/.exec(name) ?? []
  if (project !== undefined && region !== undefined && job !== undefined) return { project, region, job }
  throw badName(name, 'a job', 'projects/PROJECT/locations/REGION/jobs/JOB')
}

export function readExecutionName(name: string): ExecutionName {
  const [, job = '', execution] = /^(.*)\/executions\/([^/]+)$/.exec(name) ?? []
  if (execution === undefined) throw badName(name, 'an execution', 'projects/PROJECT/locations/REGION/jobs/JOB/executions/EXECUTION')
  return { ...readJobName(job), execution }
}

export function readTaskName(name: string): TaskName {
  const [, execution = '', task] = /^(.*)\/tasks\/([^/]+)$/.exec(name) ?? []
  if (task === undefined) throw badName(name, 'a task', 'projects/PROJECT/locations/REGION/jobs/JOB/executions/EXECUTION/tasks/TASK')
  return { ...readExecutionName(execution), task }
}

/** @throws CloudError INVALID_ARGUMENT. A letter first, then lower case letters, digits and hyphens, fewer than 64 in all. */
export function checkJobId(id: string): void {
  if (/^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/.test(id)) return
  throw new CloudError(
    'INVALID_ARGUMENT',
    `Violation in CreateJobRequest.job_id: "${id}" must begin with a letter, hold only lower case letters, digits and hyphens, not end with a hyphen, and be shorter than 64 characters.`,
    'Choose such an id.',
  )
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

function badName(name: string, what: string, form: string): CloudError {
  return new CloudError('INVALID_ARGUMENT', `"${name}" is not ${what}'s name.`, `Write ${form}.`)
}
