import type { Command } from 'commander'
import { revisionText } from './describe-text.ts'
import { getKnative } from './get-resource.ts'
import { listKnative } from './knative.ts'
import { printList, printOne, type ListOptions } from './print-resources.ts'
import { addDelete, addDescribe, addList } from './resource-commands.ts'
import { revisionKind, serviceKind } from './resource-kinds.ts'
import type { Scope, WideOptions } from './scope.ts'
import { activeIn, revisionRow, revisionTable } from './service-rows.ts'

const serviceLabel = 'serving.knative.dev/service'

export function addRevisions(run: Command): void {
  const revisions = run.command('revisions').description('look at revisions of services')
  addList(revisions, 'list revisions, of one service or of all', list).option('--service <service>', 'of this one')
  addDescribe(revisions, revisionKind, 'show a revision', describe)
  addDelete(revisions, revisionKind, 'delete a revision that takes no traffic')
}

async function list(scope: Scope, options: ListOptions & { readonly service?: string }): Promise<void> {
  const [revisions, services] = await Promise.all([
    listKnative(scope, revisionKind, options.service === undefined ? '' : `${serviceLabel}=${options.service}`),
    listKnative(scope, serviceKind),
  ])
  const active = new Set(services.flatMap((service) => [...activeIn(service)]))
  printList(options, revisions.map((revision) => revisionRow(revision, active)), revisionTable) // prettier-ignore
}

async function describe(scope: Scope, id: string, options: WideOptions): Promise<void> {
  const revision = await getKnative(scope, revisionKind, id)
  const { labels = {} } = revision.metadata
  const service = `projects/${scope.project}/locations/${labels['cloud.googleapis.com/location']}/services/${labels[serviceLabel]}`
  const full = await scope.api.call('GET', `${service}/revisions/${id}`)
  printOne(options, revisionRow(revision, new Set()), () => revisionText(full))
}
