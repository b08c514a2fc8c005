import type { Command } from 'commander'
import { lastPart } from '../../../base/last-part.ts'
import type { ApiAnswer, OpenRequest } from '../../../daemon/control-protocol.ts'
import type { Row } from '../../format/project-row.ts'
import { symbolOf, templateLines } from './describe-text.ts'
import { requireImages, withoutServiceSettings } from './edit-job.ts'
import { editLabels, editTemplate, scopeFlags } from './edit-service.ts'
import { addEngineOption } from './engine-option.ts'
import { declareFlags, refusedFlags, workerPoolFlags } from './flag-table.ts'
import { readCount, type Given } from './flag-values.ts'
import { getResource } from './get-resource.ts'
import { interruptible } from './interruptible.ts'
import { addLogs } from './log-commands.ts'
import { partsOf } from './names.ts'
import { addPolicyCommands } from './policy-commands.ts'
import { printList, printOne } from './print-resources.ts'
import { openProgress } from './progress.ts'
import { addChange, addDelete, addDescribe, addList } from './resource-commands.ts'
import { poolKind } from './resource-kinds.ts'
import type { ServerFields, TemplateJson } from './run-json.ts'
import { checkName, openScope, type Scope, type WideOptions } from './scope.ts'
import { writeResource } from './write-resource.ts'

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
    const command = addChange(pools, poolKind, verb, words)
    if (verb === 'deploy') addEngineOption(command)
    const flags = verb === 'deploy' ? workerPoolFlags : workerPoolFlags.filter(({ name }) => name !== 'source')
    const given = declareFlags(command, flags, refusedFlags)
    command.action((id: string, options: DeployOptions) => interruptible(() => deploy(verb, id, options, given)))
  }
  addList(pools, 'list worker pools', async (scope, options) =>
    printList(options, (await scope.api.list(`${scope.parent}/workerPools`, 'workerPools')).map(toRow), table),
  )
  addDescribe(pools, poolKind, 'show a worker pool', async (scope, id, options) => {
    const pool = await getResource(scope, poolKind, id)
    printOne(options, toRow(pool), () => poolText(id, pool))
  })
  addDelete(pools, poolKind, 'delete a worker pool')
  addLogs(pools, poolKind)
  addPolicyCommands(pools, poolKind)
}

async function deploy(verb: 'deploy' | 'update', named: string, options: DeployOptions, given: readonly Given[]): Promise<void> {
  const id = checkName('worker pool', named)
  const scope = await openScope(options, verb === 'deploy')
  const progress = openProgress(options)
  const { operation } = await writeResource(scope, progress, {
    kind: poolKind,
    id,
    verb,
    given,
    engine: options.engine ?? 'auto',
    toWanted: (current, flags) => toWanted(scope, id, current, flags),
  })
  if (options.async !== true) {
    await progress.step(`worker pool ${id}`, async (detail) => {
      await scope.api.wait(operation)
      detail(lastPart(String((await getResource(scope, poolKind, id))['latestReadyRevision'] ?? '')))
    })
    progress.note(`Worker pool [${id}] has been deployed.`)
  }
  const pool = await getResource(scope, poolKind, id)
  printOne(options, toRow(pool), () => '')
}

function toWanted(scope: Scope, id: string, current: ApiAnswer | undefined, given: readonly Given[]): WorkerPoolJson {
  const pool = structuredClone((current as unknown as WorkerPoolJson | undefined) ?? { template: { containers: [] } })
  delete pool.template.revision
  const scoped = scopeFlags(given)
  const last = (flag: string) => scoped.general.findLast((one) => one.flag === flag)
  editTemplate(pool.template, scoped, scope.connectionName)
  requireImages(pool.template)
  withoutServiceSettings(pool.template, true)
  const [instances, suffix, description] = [last('instances') ?? last('scaling'), last('revision-suffix'), last('description')]
  if (instances !== undefined) pool.scaling = { manualInstanceCount: readCount(instances, 0) ?? 1 }
  if (suffix !== undefined && suffix.value !== '') pool.template.revision = `${id}-${suffix.value}`
  if (description !== undefined) pool.description = description.value
  pool.labels = editLabels(pool.labels ?? {}, scoped.general)
  return pool
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
