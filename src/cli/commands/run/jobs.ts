import type { Command } from 'commander'
import type { OpenRequest } from '../../../daemon/control-protocol.ts'
import { yamlText } from '../../format/print-rows.ts'
import { templateLines } from './describe-text.ts'
import { toWantedJob, type JobJson } from './edit-job.ts'
import { toOverrides } from './job-overrides.ts'
import { addEngineOption } from './engine-option.ts'
import { startExecution, waitForExecution } from './execute-job.ts'
import { addExecutions } from './executions.ts'
import { declareFlags, executeFlags, jobFlags, refusedFlags } from './flag-table.ts'
import type { Given } from './flag-values.ts'
import { interruptible } from './interruptible.ts'
import { executionRow, jobRow, jobTable } from './job-rows.ts'
import { listKnative, symbolOf, toExport, type Knative } from './knative.ts'
import { addLogs } from './log-commands.ts'
import { printList, printOne } from './print-resources.ts'
import { openProgress } from './progress.ts'
import { addPolicyCommands } from './policy-commands.ts'
import { addReplace } from './replace.ts'
import { checkName, openScope, type Scope, type WideOptions } from './scope.ts'
import { addChange, addDelete, addDescribe, addList } from './resource-commands.ts'
import { getKnative } from './get-resource.ts'
import { jobKind } from './resource-kinds.ts'
import { writeResource } from './write-resource.ts'

interface DeployOptions extends WideOptions {
  readonly async?: true
  readonly executeNow?: true
  readonly wait?: true
  readonly engine?: OpenRequest['engine']
}

export function addJobs(run: Command): void {
  const jobs = run.command('jobs').description('commands that run to their end, in tasks')
  const verbs = [
    ['deploy', 'create or update a job from an image or a folder'],
    ['create', 'create a job'],
    ['update', 'change settings of a job'],
  ] as const
  for (const [verb, words] of verbs) {
    const command = addChange(jobs, jobKind, verb, words)
      .option('--execute-now', 'execute it afterwards')
      .option('--wait', 'execute it afterwards, and wait until it has ended')
    if (verb !== 'update') addEngineOption(command)
    const given = declareFlags(command, verb === 'update' ? jobFlags.filter(({ name }) => name !== 'source') : jobFlags, refusedFlags)
    command.action((id: string, options: DeployOptions) => interruptible(() => deploy(verb, id, options, given)))
  }
  const execute = addChange(jobs, jobKind, 'execute', 'run a job: its tasks, each to its end').option(
    '--wait',
    'until every task has ended',
  )
  const overrides = declareFlags(execute, executeFlags)
  execute.action((id: string, options: DeployOptions) => interruptible(() => executeJob(id, options, overrides)))
  addList(jobs, 'list jobs', async (scope, options) => printList(options, (await listKnative(scope, jobKind)).map(jobRow), jobTable))
  addDescribe(jobs, jobKind, 'show a job; --format=export writes a job.yaml', describe)
  addDelete(jobs, jobKind, 'delete a job with its executions')
  addReplace(jobs, 'Job', jobKind)
  addExecutions(jobs)
  addLogs(jobs, jobKind)
  addPolicyCommands(jobs, jobKind)
}

async function deploy(verb: 'deploy' | 'create' | 'update', named: string, options: DeployOptions, given: readonly Given[]): Promise<void> {
  const id = checkName('job', named)
  const scope = await openScope(options, verb !== 'update')
  const progress = openProgress(options)
  const { operation, current } = await writeResource(scope, progress, {
    kind: jobKind,
    id,
    verb,
    given,
    engine: options.engine ?? 'auto',
    toWanted: (now, flags) => toWantedJob(now as JobJson | undefined, flags, scope.connectionName),
  })
  if (options.async !== true) await progress.step(`job ${id}`, () => scope.api.wait(operation))
  if (options.executeNow === true || options.wait === true) return executeIn(scope, id, options, undefined)
  const job = await getKnative(scope, jobKind, id)
  progress.note(`Job [${id}] has been ${current === undefined ? 'created' : 'updated'}: devcloud run jobs execute ${id}`)
  printOne(options, jobRow(job), () => '')
}

async function executeJob(id: string, options: DeployOptions, given: readonly Given[]): Promise<void> {
  const scope = await openScope(options)
  await getKnative(scope, jobKind, id)
  await executeIn(scope, id, options, toOverrides(given))
}

async function executeIn(scope: Scope, id: string, options: DeployOptions, overrides: object | undefined): Promise<void> {
  const progress = openProgress(options)
  const started = await startExecution(scope, id, overrides)
  const { name } = started.metadata
  if (options.wait === true) {
    const ended = await waitForExecution(scope, id, started, progress)
    progress.note(`Execution [${name}] has successfully completed.`)
    return printOne(options, executionRow(ended), () => name)
  }
  progress.note(`Execution [${name}] has started: devcloud run jobs executions describe ${name}`)
  printOne(options, executionRow(started), () => name)
}

async function describe(scope: Scope, id: string, options: WideOptions): Promise<void> {
  const job = await getKnative(scope, jobKind, id)
  if (options.format === 'export') return void process.stdout.write(yamlText(toExport(job)))
  const full = (await scope.api.call('GET', `${scope.parent}/jobs/${id}`)) as unknown as JobJson
  printOne(options, jobRow(job), () => jobText(id, job, full))
}

function jobText(id: string, job: Knative, { template }: JobJson): string {
  const { latestCreatedExecution, executionCount } = (job.status ?? {}) as {
    readonly executionCount?: number
    readonly latestCreatedExecution?: { readonly name: string; readonly creationTimestamp?: string }
  }
  const { taskCount = 1, parallelism, template: task } = template
  return [
    `${symbolOf(job)} Job ${id}`,
    '',
    `  Tasks:           ${taskCount}`,
    ...(parallelism ? [`  Parallelism:     ${parallelism}`] : []),
    `  Max retries:     ${task.maxRetries ?? 0}`,
    ...templateLines(task),
    '',
    `Executions: ${executionCount ?? 0}`,
    ...(latestCreatedExecution === undefined
      ? []
      : [`Last: ${latestCreatedExecution.name} ${latestCreatedExecution.creationTimestamp ?? ''}`]),
  ].join('\n')
}
