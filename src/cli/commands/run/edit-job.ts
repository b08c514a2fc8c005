import { editLabels, editTemplate, scopeFlags } from './edit-service.ts'
import { setOrDelete } from './edit-container.ts'
import { readCount, readDuration, usage, type Given } from './flag-values.ts'
import type { TemplateJson } from './run-json.ts'

/** A job of v2, as far as flags change it. */
export interface JobJson {
  name?: string
  labels?: Record<string, string>
  template: { labels?: Record<string, string>; taskCount?: number; parallelism?: number; template: TemplateJson }
}

/** The job as the flags make it. @param connectionName makes PROJECT:REGION:INSTANCE of a Cloud SQL instance's id @throws CloudError USAGE */
export function toWantedJob(current: JobJson | undefined, given: readonly Given[], connectionName: (id: string) => string): JobJson {
  const job = structuredClone(current ?? { template: { template: { containers: [] } } })
  const { template: execution } = job
  const task = execution.template
  const scoped = scopeFlags(given)
  const last = (flag: string) => scoped.general.findLast((one) => one.flag === flag)
  editTemplate(task, scoped, connectionName)
  requireImages(task)
  withoutServiceSettings(task)
  const [tasks, parallelism, retries, timeout] = [last('tasks'), last('parallelism'), last('max-retries'), last('task-timeout')]
  if (tasks !== undefined) execution.taskCount = readCount(tasks, 1, 10_000) ?? 1
  if (parallelism !== undefined) setOrDelete(execution, 'parallelism', readCount(parallelism, 0, 10_000))
  if (retries !== undefined) setOrDelete(task, 'maxRetries', readCount(retries, 0, 10))
  if (timeout !== undefined) task.timeout = readDuration(timeout)
  job.labels = editLabels(job.labels ?? {}, scoped.general)
  return job
}

/** CPU between requests and labels are no matter of a task. */
export function withoutServiceSettings(task: TemplateJson, keepsLabels = false): void {
  if (!keepsLabels) delete task.labels
  for (const container of task.containers) {
    const { limits } = container.resources ?? {}
    if (limits === undefined) delete container.resources
    else container.resources = { limits }
  }
}

/** @throws CloudError USAGE */
export function requireImages({ containers }: TemplateJson): void {
  const missing = containers.find(({ image }) => image === undefined || image === '')
  if (missing === undefined && containers.length > 0) return
  const which = missing?.name === undefined ? '' : ` for the container ${missing.name}`
  throw usage(
    `Requires a container image to deploy${which} if no build source is provided.`,
    'Add --image=IMAGE, or --source=. to build this folder.',
  )
}
