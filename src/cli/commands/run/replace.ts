import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { parse } from 'yaml'
import { CloudError, messageOf } from '../../../base/cloud-error.ts'
import { isRecord } from '../../../base/is-record.ts'
import { prepare } from './build-source.ts'
import { addEngineOption } from './engine-option.ts'
import { usage } from './flag-values.ts'
import { interruptible } from './interruptible.ts'
import { collectionUrl, type Knative } from './knative.ts'
import { printOne } from './print-resources.ts'
import { openProgress, type Progress } from './progress.ts'
import type { ResourceKind } from './resource-kinds.ts'
import { addWideOptions, openScope, type Scope, type WideOptions } from './scope.ts'
import { commonColumns, serviceRow } from './service-rows.ts'

interface ReplaceOptions extends WideOptions {
  readonly async?: true
  readonly dryRun?: true
  readonly engine: 'auto' | 'docker' | 'process'
}

/** `services replace FILE`: the file is what gcloud takes, and what `describe --format=export` writes. */
export function addReplace(group: Command, kind: 'Service' | 'Job', of: ResourceKind): void {
  const command = addWideOptions(group.command('replace').description(`create or replace a ${of.words} from a YAML file`))
    .argument('<file>', 'as describe --format=export writes it')
    .option('--async', 'do not wait')
    .option('--dry-run', 'only ask whether it would be taken')
  addEngineOption(command).action((file: string, options: ReplaceOptions) => interruptible(() => replace(file, options, kind, of)))
}

async function replace(file: string, options: ReplaceOptions, kind: 'Service' | 'Job', of: ResourceKind): Promise<void> {
  const resource = readResource(file, kind, of.group)
  const { name, labels = {} } = resource.metadata
  const scope = await openScope({ ...options, ...regionOf(options, labels) }, true)
  const progress = openProgress(options)
  const base = collectionUrl(scope, of)
  const found = await scope.api.find(`${base}/${name}`)
  const { status: _status, ...body } = resource
  const query = options.dryRun === true ? '?dryRun=all' : ''
  if (options.dryRun !== true) await prepare(scope, name, [], options.engine, progress)
  const written = await (found === undefined
    ? scope.api.call('POST', base + query, body)
    : scope.api.call('PUT', `${base}/${name}${query}`, body))
  if (options.dryRun === true) return progress.note(`${kind} [${name}] has been validated.`)
  const ready =
    options.async === true ? (written as Knative) : await waitUntilReady(scope, `${base}/${name}`, `${of.words} ${name}`, progress)
  progress.note(`${kind} [${name}] has been ${found === undefined ? 'created' : 'replaced'}.`)
  const row = kind === 'Service' ? serviceRow(ready) : { resource: ready, derived: commonColumns(ready) }
  printOne(options, row, () => String(ready.status?.url ?? name))
}

/** The location that an exported file may say. */
function regionOf({ region }: WideOptions, labels: Readonly<Record<string, string>>): { readonly region?: string } {
  const told = region ?? labels['cloud.googleapis.com/location']
  return told === undefined ? {} : { region: told }
}

function waitUntilReady(scope: Scope, url: string, name: string, progress: Progress): Promise<Knative> {
  return progress.step(name, async () => {
    for (;;) {
      const now = (await scope.api.call('GET', url)) as Knative
      const { generation } = now.metadata as { readonly generation?: number }
      const { observedGeneration } = (now.status ?? {}) as { readonly observedGeneration?: number }
      const ready = observedGeneration === generation ? now.status?.conditions?.find(({ type }) => type === 'Ready') : undefined
      if (ready?.status === 'True') return now
      if (ready?.status === 'False') throw new CloudError('FAILED_PRECONDITION', ready.message ?? `${name} is not ready.`, 'devcloud logs')
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  })
}

function readResource(file: string, kind: string, group: string): Knative {
  let read: unknown
  try {
    read = parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw usage(`${file} cannot be read: ${messageOf(error)}`, 'Name a YAML file, as describe --format=export writes it.')
  }
  const metadata = isRecord(read) ? read['metadata'] : undefined
  if (isRecord(read) && read['kind'] === kind && isRecord(metadata) && typeof metadata['name'] === 'string')
    return read as unknown as Knative
  throw usage(`${file} is not a ${kind}.`, `Write apiVersion: ${group}/v1, kind: ${kind}, and metadata.name.`)
}
