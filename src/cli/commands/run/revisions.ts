import type { Command } from 'commander'
import { CloudError } from '../../../base/cloud-error.ts'
import { revisionText } from './describe-text.ts'
import { interruptible } from './interruptible.ts'
import { listKnative, namespaceUrl, type Knative } from './knative.ts'
import { addListOptions, printList, printOne, type ListOptions } from './print-resources.ts'
import { openProgress } from './progress.ts'
import { addWideOptions, openScope, type Scope, type WideOptions } from './scope.ts'
import { activeIn, revisionRow, revisionTable } from './service-rows.ts'
import { confirm } from './services.ts'

const serving = 'serving.knative.dev'

export function addRevisions(run: Command): void {
  const revisions = run.command('revisions').description('look at revisions of services')
  addListOptions(addWideOptions(revisions.command('list').description('list revisions, of one service or of all')))
    .option('--service <service>', 'of this one')
    .action(list)
  addWideOptions(revisions.command('describe').description('show a revision')).argument('<revision>', 'its name').action(describe)
  addWideOptions(revisions.command('delete').description('delete a revision that takes no traffic'))
    .argument('<revision>', 'its name')
    .option('--async', 'do not wait')
    .option('--no-async', 'wait')
    .action((id: string, options: WideOptions) => interruptible(() => remove(id, options)))
}

async function list(options: ListOptions & { readonly service?: string }): Promise<void> {
  const scope = await openScope(options)
  const base = namespaceUrl(scope, serving, options.region)
  const selector = options.service === undefined ? '' : `?labelSelector=${encodeURIComponent(`${serving}/service=${options.service}`)}`
  const [revisions, services] = await Promise.all([
    listKnative(scope, `${base}/revisions${selector}`),
    listKnative(scope, `${base}/services`),
  ])
  const active = new Set(services.flatMap((service) => [...activeIn(service)]))
  printList(options, revisions.map((revision) => revisionRow(revision, active)), revisionTable) // prettier-ignore
}

/** @throws CloudError NOT_FOUND in gcloud's words */
async function find(scope: Scope, id: string, region: string | undefined): Promise<Knative> {
  const revision = await scope.api.find(`${namespaceUrl(scope, serving, region)}/revisions/${encodeURIComponent(id)}`)
  if (revision !== undefined) return revision as Knative
  throw new CloudError('NOT_FOUND', `Cannot find revision [${id}] in project ${scope.project}.`, 'devcloud run revisions list')
}

async function describe(id: string, options: WideOptions): Promise<void> {
  const scope = await openScope(options)
  const revision = await find(scope, id, options.region)
  const { labels = {} } = revision.metadata
  const service = `projects/${scope.project}/locations/${labels['cloud.googleapis.com/location']}/services/${labels[`${serving}/service`]}`
  const full = await scope.api.call('GET', `${service}/revisions/${id}`)
  printOne(options, revisionRow(revision, new Set()), () => revisionText(full))
}

async function remove(id: string, options: WideOptions): Promise<void> {
  const scope = await openScope(options)
  await find(scope, id, options.region)
  await confirm(options, `Revision [${id}]`)
  await scope.api.call('DELETE', `${namespaceUrl(scope, serving, options.region)}/revisions/${encodeURIComponent(id)}`)
  openProgress(options).note(`Deleted revision [${id}].`)
}
