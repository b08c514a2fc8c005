import { createInterface } from 'node:readline/promises'
import { basename } from 'node:path'
import { realpathSync } from 'node:fs'
import type { Command } from 'commander'
import { lastPart } from '../../../base/last-part.ts'
import { serviceIdFor } from '../../../config/ids.ts'
import type { ApiAnswer, OpenRequest } from '../../../daemon/control-protocol.ts'
import { toWanted, urlsOf, waitForService } from './deploy-service.ts'
import { declareFlags, refusedFlags, serviceFlags } from './flag-table.ts'
import { addEngineOption } from './engine-option.ts'
import type { Given } from './flag-values.ts'
import { addMember } from './iam-policy.ts'
import { interruptible } from './interruptible.ts'
import { printOne } from './print-resources.ts'
import { openProgress, type Progress } from './progress.ts'
import { addWideOptions, checkName, openScope, type Scope, type WideOptions } from './scope.ts'
import { serviceRow } from './service-rows.ts'
import { getKnative } from './get-resource.ts'
import { writeResource } from './write-resource.ts'
import { serviceKind } from './resource-kinds.ts'

interface DeployOptions extends WideOptions {
  readonly async?: true
  readonly allowUnauthenticated?: boolean
  readonly engine: OpenRequest['engine']
}

export function addDeploy(run: Command): void {
  const command = addWideOptions(run.command('deploy'))
    .description('create or update a service from an image or a folder')
    .argument('[service]', 'default: the name of the folder')
    .option('--allow-unauthenticated', 'anybody may call it')
    .option('--no-allow-unauthenticated', 'only who has roles/run.invoker')
    .option('--async', 'do not wait')
  addEngineOption(command)
  const given = declareFlags(command, serviceFlags, refusedFlags)
  command.action((service: string | undefined, options: DeployOptions) => interruptible(() => deploy(service, options, given)))
}

async function deploy(named: string | undefined, options: DeployOptions, given: readonly Given[]): Promise<void> {
  const source = given.find(({ flag }) => flag === 'source')?.value
  const id = checkName('service', named ?? nameOf(source, given))
  const scope = await openScope(options, true)
  const progress = openProgress(options)
  progress.note(`Deploying service ${id} in project ${scope.project} region ${scope.region}`)
  let isPublic = options.allowUnauthenticated
  const { operation, current } = await writeResource(scope, progress, {
    kind: serviceKind,
    id,
    verb: 'deploy',
    given,
    engine: options.engine,
    toWanted: (now, flags) => toWanted(scope, id, now, flags, true),
    async beforeSend(now) {
      if (now === undefined) isPublic ??= await mayAnybodyCall(id, options)
    },
  })
  if (isPublic !== undefined) await setPublic(scope, id, isPublic, current === undefined)
  if (options.async === true) {
    progress.note(`Service [${id}] is being deployed: devcloud run services describe ${id}`)
    return printOne(options, serviceRow(await getKnative(scope, serviceKind, id)), () => '')
  }
  const service = await waitForService(scope, id, operation, progress)
  await tellDeployed(scope, id, service, options, progress)
  if (isPublic === false)
    progress.note(`  Callers need roles/run.invoker: devcloud run services proxy ${id}, or deploy with --allow-unauthenticated`)
}

/** The result of a deployment: its URLs on stdout, or what `--format` says of the service. */
export async function tellDeployed(scope: Scope, id: string, service: ApiAnswer, options: WideOptions, progress: Progress): Promise<void> {
  const urls = await urlsOf(scope, id, service)
  if (options.format === undefined && options.json !== true) {
    const created = lastPart(String(service['latestCreatedRevision']))
    progress.note(
      `Service [${id}] revision [${created}] has been deployed and is serving ${percentOf(service, created)} percent of traffic.`,
    )
  }
  printOne(options, serviceRow(await getKnative(scope, serviceKind, id)), () => urls.join('\n'))
}

function percentOf(service: ApiAnswer, revision: string): number {
  const statuses = Array.isArray(service['trafficStatuses'])
    ? (service['trafficStatuses'] as readonly { revision?: string; percent?: number }[])
    : []
  return statuses.filter((one) => one.revision === revision).reduce((sum, { percent = 0 }) => sum + percent, 0)
}

/** Without a name it is the folder's, or the image's. */
function nameOf(source: string | undefined, given: readonly Given[]): string {
  if (source !== undefined) return serviceIdFor(basename(realpathSync(source)))
  const image = given.find(({ flag }) => flag === 'image')?.value ?? ''
  return serviceIdFor(lastPart(image).split(/[:@]/)[0] ?? '')
}

/** gcloud asks for a new service, and without a terminal the answer is no. */
async function mayAnybodyCall(id: string, { quiet }: DeployOptions): Promise<boolean> {
  if (quiet === true || process.stdin.isTTY !== true) return false
  using terminal = createInterface({ input: process.stdin, output: process.stderr })
  return /^y(es)?$/i.test((await terminal.question(`Allow unauthenticated invocations to [${id}] (y/N)? `)).trim())
}

async function setPublic(scope: Scope, id: string, isPublic: boolean, isNew: boolean): Promise<void> {
  const resource = `${scope.parent}/services/${id}`
  if (isPublic || !isNew) await addMember(scope.api, resource, 'roles/run.invoker', 'allUsers', isPublic ? 'add' : 'remove-if-there')
}
