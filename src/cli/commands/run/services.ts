import { createInterface } from 'node:readline/promises'
import type { Command } from 'commander'
import { yamlText } from '../../format/print-rows.ts'
import { tellDeployed } from './deploy.ts'
import { prepare, send, toWanted, urlsOf, waitForService } from './deploy-service.ts'
import { serviceText } from './describe-text.ts'
import { editTraffic } from './edit-traffic.ts'
import { declareFlags, refusedFlags, serviceFlags, type Flag } from './flag-table.ts'
import { usage, type Given } from './flag-values.ts'
import { interruptible } from './interruptible.ts'
import { listKnative, namespaceUrl, toExport } from './knative.ts'
import { getKnative, getService } from './get-service.ts'
import { addListOptions, printList, printOne, type ListOptions } from './print-resources.ts'
import { openProgress } from './progress.ts'
import { addPolicyCommands } from './policy-commands.ts'
import { addReplace } from './replace.ts'
import { addLogs } from './log-commands.ts'
import { addProxy } from './proxy.ts'
import type { ServiceJson } from './run-json.ts'
import { addWideOptions, openScope, type WideOptions } from './scope.ts'
import { serviceRow, serviceTable } from './service-rows.ts'

interface WaitOptions extends WideOptions {
  readonly async?: boolean
}

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
  addListOptions(addWideOptions(services.command('list').description('list services'))).action(list)
  addWideOptions(services.command('describe').description('show a service; --format=export writes a service.yaml'))
    .argument('<service>', 'its name')
    .action(describe)
  const update = addWideOptions(services.command('update').description('change settings of a service'))
    .argument('<service>', 'its name')
    .option('--async', 'do not wait')
  const changes = declareFlags(update, serviceFlags.filter(({ name }) => name !== 'source'), refusedFlags) // prettier-ignore
  update.action((id: string, options: WaitOptions) => interruptible(() => change(id, options, changes)))
  const traffic = addWideOptions(
    services.command('update-traffic').description('say which revision takes which share, and which has which tag'),
  )
    .argument('<service>', 'its name')
    .option('--async', 'do not wait')
  const shares = declareFlags(traffic, trafficFlags)
  traffic.action((id: string, options: WaitOptions) => interruptible(() => changeTraffic(id, options, shares)))
  addWideOptions(services.command('delete').description('delete a service with its revisions'))
    .argument('<service>', 'its name')
    .option('--async', 'do not wait')
    .option('--no-async', 'wait')
    .action((id: string, options: WaitOptions) => interruptible(() => remove(id, options)))
  addReplace(services, { kind: 'Service', group: 'serving.knative.dev', collection: 'services' })
  addProxy(services)
  addLogs(services, 'service')
  addPolicyCommands(services, 'services', 'service')
  return services
}

async function list(options: ListOptions): Promise<void> {
  const scope = await openScope(options)
  const services = await listKnative(scope, `${namespaceUrl(scope, 'serving.knative.dev', options.region)}/services`)
  printList(options, services.map(serviceRow), serviceTable)
}

async function describe(id: string, options: WideOptions): Promise<void> {
  const scope = await openScope(options)
  const service = await getService(scope, id)
  const knative = await getKnative(scope, id)
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
  const current = await getService(scope, id)
  const wanted = toWanted(scope, id, current, given, false)
  await prepare(scope, id, [], 'auto', progress)
  const operation = await send(scope, id, current, wanted)
  if (options.async === true) return progress.note(`Service [${id}] is being updated: devcloud run services describe ${id}`)
  await tellDeployed(scope, id, await waitForService(scope, id, operation, progress), options, progress)
}

async function changeTraffic(id: string, options: WaitOptions, given: readonly Given[]): Promise<void> {
  if (given.length === 0) throw usage('No traffic change requested.', 'Add for example --to-latest, or --to-revisions=REVISION=100.')
  const scope = await openScope(options)
  const progress = openProgress(options)
  const current = await getService(scope, id)
  const service = structuredClone(current) as unknown as ServiceJson
  service.traffic = [...editTraffic(service, given)]
  const operation = await send(scope, id, current, service)
  if (options.async === true) return progress.note(`Traffic of [${id}] is being changed.`)
  const changed = await waitForService(scope, id, operation, progress)
  const urls = await urlsOf(scope, id, changed)
  printOne(options, serviceRow(await getKnative(scope, id)), () => serviceText(changed, urls).split('\n\n').slice(1, 2).join('\n'))
}

async function remove(id: string, options: WaitOptions): Promise<void> {
  const scope = await openScope(options)
  const progress = openProgress(options)
  await getService(scope, id)
  await confirm(options, `Service [${id}]`)
  const operation = await scope.api.call('DELETE', `${scope.parent}/services/${id}`)
  if (options.async !== true) await scope.api.wait(operation)
  progress.note(`Deleted service [${id}].`)
}

/** On a terminal a deletion asks first; `--quiet`, and what is no terminal, say yes. */
export async function confirm({ quiet }: WideOptions, what: string): Promise<void> {
  if (quiet === true || process.stdin.isTTY !== true) return
  using terminal = createInterface({ input: process.stdin, output: process.stderr })
  const answer = await terminal.question(`${what} will be deleted. Continue (Y/n)? `)
  if (/^n(o)?$/i.test(answer.trim())) throw usage('Aborted by user.', '')
}
