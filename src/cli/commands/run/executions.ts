import type { Command } from 'commander'
import { interruptible } from './interruptible.ts'
import { executionRow, executionTable, taskRow, taskTable, type ExecutionStatus } from './job-rows.ts'
import { listKnative, symbolOf, type Knative, collectionUrl } from './knative.ts'
import { printList, printOne, type ListOptions } from './print-resources.ts'
import { openProgress } from './progress.ts'
import { openScope, type Scope } from './scope.ts'
import { type WaitOptions, addChange, addDelete, addDescribe, addList } from './resource-commands.ts'
import { executionKind, taskKind } from './resource-kinds.ts'
import { getKnative } from './get-resource.ts'

/** `jobs executions` and, below it, `tasks`. */
export function addExecutions(jobs: Command): void {
  const executions = jobs.command('executions').description('look at executions of jobs, cancel and delete them')
  addList(executions, 'list executions, newest first', list).option('--job <job>', 'of this one')
  addDescribe(executions, executionKind, 'show an execution', async (scope, id, options) => {
    const execution = await getKnative(scope, executionKind, id)
    printOne(options, executionRow(execution), () => executionText(execution))
  })
  addChange(executions, executionKind, 'cancel', 'cancel an execution').action((id: string, options: WaitOptions) =>
    interruptible(() => cancel(id, options)),
  )
  addDelete(executions, executionKind, 'delete an execution')
  const tasks = executions.command('tasks').description('look at tasks of an execution')
  addList(tasks, 'list tasks', listTasks)
    .requiredOption('--execution <execution>', 'of this one')
    .option('--succeeded', 'those that succeeded')
  addDescribe(tasks, taskKind, 'show a task', async (scope, id, options) => {
    const row = taskRow(await getKnative(scope, taskKind, id))
    const { ready_symbol: symbol, running_state: state, retries } = row.derived
    printOne(options, row, () => `${String(symbol)} Task ${id}: ${String(state)}, ${String(retries)} retries`)
  })
}

async function list(scope: Scope, options: ListOptions & { readonly job?: string }): Promise<void> {
  const found = await listKnative(scope, executionKind, options.job === undefined ? '' : `run.googleapis.com/job=${options.job}`)
  const sorted = found.toSorted((a, b) => ((a.metadata.creationTimestamp ?? '') < (b.metadata.creationTimestamp ?? '') ? 1 : -1))
  printList(options, sorted.map(executionRow), executionTable)
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

async function cancel(id: string, options: WaitOptions): Promise<void> {
  const scope = await openScope(options)
  await getKnative(scope, executionKind, id)
  await scope.api.call('POST', `${collectionUrl(scope, executionKind)}/${encodeURIComponent(id)}:cancel`, {})
  openProgress(options).note(`Cancelled execution [${id}].`)
}

interface TaskListOptions extends ListOptions {
  readonly execution: string
  readonly succeeded?: true
}

async function listTasks(scope: Scope, options: TaskListOptions): Promise<void> {
  const tasks = await listKnative(scope, taskKind, `run.googleapis.com/execution=${options.execution}`)
  const rows = tasks.map(taskRow).filter(({ derived }) => options.succeeded !== true || derived['running_state'] === 'Succeeded')
  printList(options, rows.toSorted((a, b) => Number(a.derived['index']) - Number(b.derived['index'])), taskTable) // prettier-ignore
}
