import type { Command } from 'commander'
import { CloudError } from '../../../base/cloud-error.ts'
import { runGroup } from './execute-job.ts'
import { interruptible } from './interruptible.ts'
import { executionRow, executionTable, taskRow, taskTable, type ExecutionStatus } from './job-rows.ts'
import { listKnative, namespaceUrl, symbolOf, type Knative } from './knative.ts'
import { addListOptions, printList, printOne, type ListOptions } from './print-resources.ts'
import { openProgress } from './progress.ts'
import { addWideOptions, openScope, type Scope, type WideOptions } from './scope.ts'
import { confirm } from './services.ts'

/** `jobs executions` and, below it, `tasks`. */
export function addExecutions(jobs: Command): void {
  const executions = jobs.command('executions').description('look at executions of jobs, cancel and delete them')
  addListOptions(addWideOptions(executions.command('list').description('list executions, newest first')))
    .option('--job <job>', 'of this one')
    .action(list)
  addWideOptions(executions.command('describe').description('show an execution')).argument('<execution>', 'its name').action(describe)
  for (const verb of ['cancel', 'delete'] as const) {
    addWideOptions(executions.command(verb).description(`${verb} an execution`))
      .argument('<execution>', 'its name')
      .option('--async', 'do not wait')
      .option('--no-async', 'wait')
      .action((id: string, options: WideOptions) => interruptible(() => end(verb, id, options)))
  }
  const tasks = executions.command('tasks').description('look at tasks of an execution')
  addListOptions(addWideOptions(tasks.command('list').description('list tasks')))
    .requiredOption('--execution <execution>', 'of this one')
    .option('--succeeded', 'those that succeeded')
    .action(listTasks)
  addWideOptions(tasks.command('describe').description('show a task')).argument('<task>', 'its name').action(describeTask)
}

async function list(options: ListOptions & { readonly job?: string }): Promise<void> {
  const scope = await openScope(options)
  const selector = options.job === undefined ? '' : `?labelSelector=${encodeURIComponent(`run.googleapis.com/job=${options.job}`)}`
  const found = await listKnative(scope, `${namespaceUrl(scope, runGroup, options.region)}/executions${selector}`)
  const sorted = found.toSorted((a, b) => ((a.metadata.creationTimestamp ?? '') < (b.metadata.creationTimestamp ?? '') ? 1 : -1))
  printList(options, sorted.map(executionRow), executionTable)
}

async function describe(id: string, options: WideOptions): Promise<void> {
  const scope = await openScope(options)
  const execution = await get(scope, 'executions', id, options.region)
  printOne(options, executionRow(execution), () => executionText(execution))
}

function executionText(execution: Knative): string {
  const { name, labels = {} } = execution.metadata
  const {
    runningCount = 0,
    succeededCount = 0,
    failedCount = 0,
    cancelledCount = 0,
    completionTime,
  } = (execution.status ?? {}) as ExecutionStatus
  const { taskCount = 1 } = execution['spec'] as { readonly taskCount?: number }
  const message = execution.status?.conditions?.find(({ type }) => type === 'Completed')?.message
  return [
    `${symbolOf(execution, 'Completed')} Execution ${name} of job ${labels['run.googleapis.com/job'] ?? ''}`,
    ...(message === undefined ? [] : [message]),
    '',
    `${succeededCount} of ${taskCount} tasks succeeded, ${failedCount} failed, ${cancelledCount} were cancelled, ${runningCount} run.`,
    ...(completionTime === undefined ? [] : [`Completed on ${completionTime}`]),
  ].join('\n')
}

async function end(verb: 'cancel' | 'delete', id: string, options: WideOptions): Promise<void> {
  const scope = await openScope(options)
  await get(scope, 'executions', id, options.region)
  if (verb === 'delete') await confirm(options, `Execution [${id}]`)
  const url = `${namespaceUrl(scope, runGroup, options.region)}/executions/${encodeURIComponent(id)}`
  await (verb === 'cancel' ? scope.api.call('POST', `${url}:cancel`, {}) : scope.api.call('DELETE', url))
  openProgress(options).note(`${verb === 'cancel' ? 'Cancelled' : 'Deleted'} execution [${id}].`)
}

async function listTasks(options: ListOptions & { readonly execution: string; readonly succeeded?: true }): Promise<void> {
  const scope = await openScope(options)
  const selector = encodeURIComponent(`run.googleapis.com/execution=${options.execution}`)
  const tasks = await listKnative(scope, `${namespaceUrl(scope, runGroup, options.region)}/tasks?labelSelector=${selector}`)
  const rows = tasks.map(taskRow).filter(({ derived }) => options.succeeded !== true || derived['running_state'] === 'Succeeded')
  printList(options, rows.toSorted((a, b) => Number(a.derived['index']) - Number(b.derived['index'])), taskTable) // prettier-ignore
}

async function describeTask(id: string, options: WideOptions): Promise<void> {
  const scope = await openScope(options)
  const row = taskRow(await get(scope, 'tasks', id, options.region))
  printOne(
    options,
    row,
    () =>
      `${String(row.derived['ready_symbol'])} Task ${id}: ${String(row.derived['running_state'])}, ${String(row.derived['retries'])} retries`,
  )
}

async function get(scope: Scope, collection: 'executions' | 'tasks', id: string, region: string | undefined): Promise<Knative> {
  const found = await scope.api.find(`${namespaceUrl(scope, runGroup, region)}/${collection}/${encodeURIComponent(id)}`)
  if (found !== undefined) return found as Knative
  throw new CloudError(
    'NOT_FOUND',
    `Cannot find ${collection.slice(0, -1)} [${id}] in project ${scope.project}.`,
    'devcloud run jobs executions list',
  )
}
