import type { Command } from 'commander'
import { CloudError } from '../../../base/cloud-error.ts'
import type { OpenRequest } from '../../../daemon/control-protocol.ts'
import { yamlText } from '../../format/print-rows.ts'
import { prepare } from './deploy-service.ts'
import { templateLines } from './describe-text.ts'
import { toWantedJob, type JobJson } from './edit-job.ts'
import { toOverrides } from './job-overrides.ts'
import { addEngineOption } from './engine-option.ts'
import { runGroup, startExecution, waitForExecution } from './execute-job.ts'
import { addExecutions } from './executions.ts'
import { declareFlags, executeFlags, jobFlags, refusedFlags } from './flag-table.ts'
import { usage, type Given } from './flag-values.ts'
import { interruptible } from './interruptible.ts'
import { executionRow, jobRow, jobTable } from './job-rows.ts'
import { listKnative, namespaceUrl, symbolOf, toExport, type Knative } from './knative.ts'
import { addLogs } from './log-commands.ts'
import { addListOptions, printList, printOne, type ListOptions } from './print-resources.ts'
import { openProgress } from './progress.ts'
import { addPolicyCommands } from './policy-commands.ts'
import { addReplace } from './replace.ts'
import { addWideOptions, checkName, openScope, type Scope, type WideOptions } from './scope.ts'
import { confirm } from './services.ts'

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
    const command = addWideOptions(jobs.command(verb).description(words))
      .argument('<job>', 'its name')
      .option('--async', 'do not wait')
      .option('--execute-now', 'execute it afterwards')
      .option('--wait', 'execute it afterwards, and wait until it has ended')
    if (verb !== 'update') addEngineOption(command)
    const given = declareFlags(command, verb === 'update' ? jobFlags.filter(({ name }) => name !== 'source') : jobFlags, refusedFlags)
    command.action((id: string, options: DeployOptions) => interruptible(() => deploy(verb, id, options, given)))
  }
  const execute = addWideOptions(jobs.command('execute').description('run a job: its tasks, each to its end'))
    .argument('<job>', 'its name')
    .option('--wait', 'until every task has ended')
    .option('--async', 'do not wait at all')
  const overrides = declareFlags(execute, executeFlags)
  execute.action((id: string, options: DeployOptions) => interruptible(() => executeJob(id, options, overrides)))
  addListOptions(addWideOptions(jobs.command('list').description('list jobs'))).action(list)
  addWideOptions(jobs.command('describe').description('show a job; --format=export writes a job.yaml'))
    .argument('<job>', 'its name')
    .action(describe)
  addWideOptions(jobs.command('delete').description('delete a job with its executions'))
    .argument('<job>', 'its name')
    .option('--async', 'do not wait')
    .option('--no-async', 'wait')
    .action((id: string, options: WideOptions) => interruptible(() => remove(id, options)))
  addReplace(jobs, { kind: 'Job', group: runGroup, collection: 'jobs' })
  addExecutions(jobs)
  addLogs(jobs, 'job')
  addPolicyCommands(jobs, 'jobs', 'job')
}

async function deploy(verb: 'deploy' | 'create' | 'update', named: string, options: DeployOptions, given: readonly Given[]): Promise<void> {
  const id = checkName('job', named)
  const scope = await openScope(options, verb !== 'update')
  const progress = openProgress(options)
  const path = `${scope.parent}/jobs`
  const current = (await scope.api.find(`${path}/${id}`)) as (JobJson & Readonly<Record<string, unknown>>) | undefined
  if (verb === 'create' && current !== undefined) throw usage(`Job [${id}] already exists.`, `devcloud run jobs update ${id}`)
  if (verb === 'update' && current === undefined) throw notFound(scope, id)
  const connectionName = (instance: string) => `${scope.project}:${scope.region}:${instance}`
  toWantedJob(current, given.map((one) => (one.flag === 'source' ? { flag: 'image', value: 'to be built' } : one)), connectionName) // prettier-ignore
  const ready = await prepare(scope, id, given, options.engine ?? 'auto', progress)
  const wanted = toWantedJob(current, ready, connectionName)
  const operation =
    current === undefined
      ? await scope.api.call('POST', `${path}?jobId=${id}`, wanted)
      : await scope.api.call('PATCH', `${path}/${id}`, wanted)
  if (options.async !== true) await progress.step(`job ${id}`, () => scope.api.wait(operation))
  if (options.executeNow === true || options.wait === true) return executeIn(scope, id, options, undefined)
  const job = await getJob(scope, id)
  progress.note(`Job [${id}] has been ${current === undefined ? 'created' : 'updated'}: devcloud run jobs execute ${id}`)
  printOne(options, jobRow(job), () => '')
}

async function executeJob(id: string, options: DeployOptions, given: readonly Given[]): Promise<void> {
  const scope = await openScope(options)
  await getJob(scope, id)
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

async function list(options: ListOptions): Promise<void> {
  const scope = await openScope(options)
  const jobs = await listKnative(scope, `${namespaceUrl(scope, runGroup, options.region)}/jobs`)
  printList(options, jobs.map(jobRow), jobTable)
}

async function describe(id: string, options: WideOptions): Promise<void> {
  const scope = await openScope(options)
  const job = await getJob(scope, id)
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

async function remove(id: string, options: WideOptions): Promise<void> {
  const scope = await openScope(options)
  await getJob(scope, id)
  await confirm(options, `Job [${id}]`)
  await scope.api.call('DELETE', `${namespaceUrl(scope, runGroup, scope.region)}/jobs/${encodeURIComponent(id)}`)
  openProgress(options).note(`Deleted job [${id}].`)
}

async function getJob(scope: Scope, id: string): Promise<Knative> {
  const job = await scope.api.find(`${namespaceUrl(scope, runGroup, scope.region)}/jobs/${encodeURIComponent(id)}`)
  if (job !== undefined) return job as Knative
  throw notFound(scope, id)
}

function notFound({ region, project }: Scope, id: string): CloudError {
  return new CloudError('NOT_FOUND', `Cannot find job [${id}] in region ${region} of project ${project}.`, 'devcloud run jobs list')
}
