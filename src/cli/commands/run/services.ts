import type { Command } from 'commander'
import { yamlText } from '../../format/print-rows.ts'
import { tellDeployed } from './deploy.ts'
import { toWanted, urlsOf, waitForService } from './deploy-service.ts'
import { serviceText } from './describe-text.ts'
import { editTraffic } from './edit-traffic.ts'
import { declareFlags, refusedFlags, serviceFlags, type Flag } from './flag-table.ts'
import { usage, type Given } from './flag-values.ts'
import { interruptible } from './interruptible.ts'
import { listKnative, toExport } from './knative.ts'
import { printList, printOne } from './print-resources.ts'
import { openProgress } from './progress.ts'
import { addPolicyCommands } from './policy-commands.ts'
import { addReplace } from './replace.ts'
import { addLogs } from './log-commands.ts'
import { addProxy } from './proxy.ts'
import type { ServiceJson } from './run-json.ts'
import { openScope, type WideOptions, type Scope } from './scope.ts'
import { serviceRow, serviceTable } from './service-rows.ts'
import { type WaitOptions, addChange, addDelete, addDescribe, addList } from './resource-commands.ts'
import { getKnative, getResource } from './get-resource.ts'
import { send, writeResource } from './write-resource.ts'
import { serviceKind } from './resource-kinds.ts'

const trafficFlags: readonly Flag[] = [
  { name: 'to-latest', help: 'everything to the newest ready revision, also of later deployments' },
  { name: 'to-revisions', value: 'REVISION=PERCENT', help: 'these shares; LATEST is a revision too' },
  { name: 'to-tags', value: 'TAG=PERCENT', help: 'these shares to what the tags are at' },
  { name: 'set-tags', value: 'TAG=REVISION', help: 'these tags and no others' },
  { name: 'update-tags', value: 'TAG=REVISION', help: 'add or move these tags' },
  { name: 'remove-tags', value: 'TAGS', help: 'take these tags away' },
  { name: 'clear-tags', help: 'take every tag away' },
]

export function addServices(run: Command): Command {
  const services = run.command('services').description('look at services, and change them')
  addList(services, 'list services', async (scope, options) =>
    printList(options, (await listKnative(scope, serviceKind)).map(serviceRow), serviceTable),
  )
  addDescribe(services, serviceKind, 'show a service; --format=export writes a service.yaml', describe)
  const update = addChange(services, serviceKind, 'update', 'change settings of a service')
  const changes = declareFlags(update, serviceFlags.filter(({ name }) => name !== 'source'), refusedFlags) // prettier-ignore
  update.action((id: string, options: WaitOptions) => interruptible(() => change(id, options, changes)))
  const traffic = addChange(services, serviceKind, 'update-traffic', 'say which revision takes which share, and which has which tag')
  const shares = declareFlags(traffic, trafficFlags)
  traffic.action((id: string, options: WaitOptions) => interruptible(() => changeTraffic(id, options, shares)))
  addDelete(services, serviceKind, 'delete a service with its revisions')
  addReplace(services, 'Service', serviceKind)
  addProxy(services)
  addLogs(services, serviceKind)
  addPolicyCommands(services, serviceKind)
  return services
}

async function describe(scope: Scope, id: string, options: WideOptions): Promise<void> {
  const service = await getResource(scope, serviceKind, id)
  const knative = await getKnative(scope, serviceKind, id)
  if (options.format === 'export') {
    const text = yamlText(toExport(knative))
    process.stdout.write(text)
    if (/^ +(- )?image: process\//m.test(text)) openProgress({}).note(builtHere)
    return
  }
  const urls = await urlsOf(scope, id, service)
  printOne(options, serviceRow(knative), () => serviceText(service, urls))
}

const builtHere = 'The image was built on this machine: name one of a registry before Cloud Run gets the file.'

async function change(id: string, options: WaitOptions, given: readonly Given[]): Promise<void> {
  if (given.length === 0) throw usage('No configuration change requested.', 'devcloud run services update --help lists the flags.')
  const scope = await openScope(options)
  const progress = openProgress(options)
  const { operation } = await writeResource(scope, progress, {
    kind: serviceKind,
    id,
    verb: 'update',
    given,
    engine: 'auto',
    toWanted: (current, flags) => toWanted(scope, id, current, flags, false),
  })
  if (options.async === true) return progress.note(`Service [${id}] is being updated: devcloud run services describe ${id}`)
  await tellDeployed(scope, id, await waitForService(scope, id, operation, progress), options, progress)
}

async function changeTraffic(id: string, options: WaitOptions, given: readonly Given[]): Promise<void> {
  if (given.length === 0) throw usage('No traffic change requested.', 'Add for example --to-latest, or --to-revisions=REVISION=100.')
  const scope = await openScope(options)
  const progress = openProgress(options)
  const current = await getResource(scope, serviceKind, id)
  const service = structuredClone(current) as unknown as ServiceJson
  service.traffic = [...editTraffic(service, given)]
  const operation = await send(scope, serviceKind, id, current, service)
  if (options.async === true) return progress.note(`Traffic of [${id}] is being changed.`)
  const changed = await waitForService(scope, id, operation, progress)
  const urls = await urlsOf(scope, id, changed)
  printOne(options, serviceRow(await getKnative(scope, serviceKind, id)), () =>
    serviceText(changed, urls).split('\n\n').slice(1, 2).join('\n'),
  )
}
