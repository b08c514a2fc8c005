import type { Command } from 'commander'
import { CloudError } from '../../../base/cloud-error.ts'
import type { ApiAnswer, OpenRequest } from '../../../daemon/control-protocol.ts'
import type { Row } from '../../format/project-row.ts'
import { prepare } from './deploy-service.ts'
import { symbolOf, templateLines } from './describe-text.ts'
import { requireImages, withoutServiceSettings } from './edit-job.ts'
import { editLabels, editTemplate, scopeFlags } from './edit-service.ts'
import { addEngineOption } from './engine-option.ts'
import { declareFlags, refusedFlags, workerPoolFlags } from './flag-table.ts'
import { readCount, type Given } from './flag-values.ts'
import { interruptible } from './interruptible.ts'
import { addLogs } from './log-commands.ts'
import { lastPart } from '../../../base/last-part.ts'
import { partsOf } from './names.ts'
import { addPolicyCommands } from './policy-commands.ts'
import { addListOptions, printList, printOne, type ListOptions } from './print-resources.ts'
import { openProgress } from './progress.ts'
import type { ServerFields, TemplateJson } from './run-json.ts'
import { addWideOptions, checkName, openScope, type Scope, type WideOptions } from './scope.ts'
import { confirm } from './services.ts'

/** A worker pool of v2, which is what gcloud speaks for them too. */
interface WorkerPoolJson {
  description?: string
  labels?: Record<string, string>
  scaling?: { manualInstanceCount?: number }
  template: TemplateJson
}

interface DeployOptions extends WideOptions {
  readonly async?: true
  readonly engine?: OpenRequest['engine']
}

const table =
  'table(ready_symbol:label="",id:label=WORKER_POOL,region:label=REGION,last_modifier:label="LAST DEPLOYED BY",last_transition_time:label="LAST DEPLOYED AT",creator:label="CREATED BY",create_time:label=CREATED)'

export function addWorkerPools(run: Command): void {
  const pools = run.command('worker-pools').description('instances that always run and serve no requests')
  const verbs = [
    ['deploy', 'create or update a worker pool from an image or a folder'],
    ['update', 'change settings of a worker pool'],
  ] as const
  for (const [verb, words] of verbs) {
    const command = addWideOptions(pools.command(verb).description(words))
      .argument('<worker-pool>', 'its name')
      .option('--async', 'do not wait')
    if (verb === 'deploy') addEngineOption(command)
    const flags = verb === 'deploy' ? workerPoolFlags : workerPoolFlags.filter(({ name }) => name !== 'source')
    const given = declareFlags(command, flags, refusedFlags)
    command.action((id: string, options: DeployOptions) => interruptible(() => deploy(verb, id, options, given)))
  }
  addListOptions(addWideOptions(pools.command('list').description('list worker pools'))).action(list)
  addWideOptions(pools.command('describe').description('show a worker pool')).argument('<worker-pool>', 'its name').action(describe)
  addWideOptions(pools.command('delete').description('delete a worker pool'))
    .argument('<worker-pool>', 'its name')
    .option('--async', 'do not wait')
    .option('--no-async', 'wait')
    .action((id: string, options: WideOptions) => interruptible(() => remove(id, options)))
  addLogs(pools, 'worker-pool')
  addPolicyCommands(pools, 'workerPools', 'worker-pool')
}

async function deploy(verb: 'deploy' | 'update', named: string, options: DeployOptions, given: readonly Given[]): Promise<void> {
  const id = checkName('worker pool', named)
  const scope = await openScope(options, verb === 'deploy')
  const progress = openProgress(options)
  const path = `${scope.parent}/workerPools`
  const current = await scope.api.find(`${path}/${id}`)
  if (verb === 'update' && current === undefined) throw notFound(scope, id)
  toWanted(scope, id, current, given.map((one) => (one.flag === 'source' ? { flag: 'image', value: 'to be built' } : one))) // prettier-ignore
  const wanted = toWanted(scope, id, current, await prepare(scope, id, given, options.engine ?? 'auto', progress))
  const operation =
    current === undefined
      ? await scope.api.call('POST', `${path}?workerPoolId=${id}`, wanted)
      : await scope.api.call('PATCH', `${path}/${id}`, wanted)
  if (options.async !== true) {
    await progress.step(`worker pool ${id}`, async (detail) => {
      await scope.api.wait(operation)
      detail(lastPart(String((await get(scope, id))['latestReadyRevision'] ?? '')))
    })
    progress.note(`Worker pool [${id}] has been deployed.`)
  }
  const pool = await get(scope, id)
  printOne(options, toRow(pool), () => '')
}

function toWanted(scope: Scope, id: string, current: ApiAnswer | undefined, given: readonly Given[]): WorkerPoolJson {
  const pool = structuredClone((current as unknown as WorkerPoolJson | undefined) ?? { template: { containers: [] } })
  delete pool.template.revision
  const scoped = scopeFlags(given)
  const last = (flag: string) => scoped.general.findLast((one) => one.flag === flag)
  editTemplate(pool.template, scoped, (instance) => `${scope.project}:${scope.region}:${instance}`)
  requireImages(pool.template)
  withoutServiceSettings(pool.template, true)
  const [instances, suffix, description] = [last('instances') ?? last('scaling'), last('revision-suffix'), last('description')]
  if (instances !== undefined) pool.scaling = { manualInstanceCount: readCount(instances, 0) ?? 1 }
  if (suffix !== undefined && suffix.value !== '') pool.template.revision = `${id}-${suffix.value}`
  if (description !== undefined) pool.description = description.value
  pool.labels = editLabels(pool.labels ?? {}, scoped.general)
  return pool
}

async function list(options: ListOptions): Promise<void> {
  const scope = await openScope(options)
  const pools = await scope.api.list(`${scope.parent}/workerPools`, 'workerPools')
  printList(options, pools.map(toRow), table)
}

async function describe(id: string, options: WideOptions): Promise<void> {
  const pool = await get(await openScope(options), id)
  printOne(options, toRow(pool), () => poolText(id, pool))
}

function poolText(id: string, answer: ApiAnswer): string {
  const pool = answer as unknown as WorkerPoolJson & ServerFields & { readonly latestReadyRevision?: string }
  const { terminalCondition, scaling, latestReadyRevision = '' } = pool
  return [
    `${symbolOf(pool)} Worker pool ${id} in region ${partsOf(String(answer['name'])).region}`,
    ...(terminalCondition?.state === 'CONDITION_FAILED' && terminalCondition.message ? [terminalCondition.message] : []),
    '',
    `  Instances:       ${scaling?.manualInstanceCount ?? 1}`,
    `  Revision:        ${lastPart(latestReadyRevision)}`,
    ...templateLines(pool.template),
  ].join('\n')
}

async function remove(id: string, options: WideOptions): Promise<void> {
  const scope = await openScope(options)
  await get(scope, id)
  await confirm(options, `Worker pool [${id}]`)
  await scope.api.wait(await scope.api.call('DELETE', `${scope.parent}/workerPools/${id}`))
  openProgress(options).note(`Deleted worker pool [${id}].`)
}

function toRow(pool: ApiAnswer): Row {
  const { terminalCondition } = pool as unknown as ServerFields
  const { id, region } = partsOf(String(pool['name']))
  return {
    resource: pool,
    derived: {
      ready_symbol: symbolOf(pool as unknown as ServerFields),
      id,
      region,
      last_transition_time: terminalCondition?.lastTransitionTime,
      uri: `https://run.googleapis.com/v2/${String(pool['name'])}`,
    },
  }
}

async function get(scope: Scope, id: string): Promise<ApiAnswer> {
  const pool = await scope.api.find(`${scope.parent}/workerPools/${encodeURIComponent(id)}`)
  if (pool !== undefined) return pool
  throw notFound(scope, id)
}

function notFound({ region, project }: Scope, id: string): CloudError {
  return new CloudError(
    'NOT_FOUND',
    `Cannot find worker pool [${id}] in region ${region} of project ${project}.`,
    'devcloud run worker-pools list',
  )
}
