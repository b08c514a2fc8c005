import { isDeepStrictEqual } from 'node:util'
import type { ApiAnswer, BuiltEvent, OpenRequest, PsAnswer, UpEvent } from '../../../daemon/control-protocol.ts'
import { realpathSync } from 'node:fs'
import { editService, scopeFlags } from './edit-service.ts'
import { editTraffic, withoutTraffic, withTag } from './edit-traffic.ts'
import { usage, type Given } from './flag-values.ts'
import { lastPart } from '../../../base/last-part.ts'
import type { Progress } from './progress.ts'
import type { ServiceJson } from './run-json.ts'
import type { Scope } from './scope.ts'

/** Opens the project for what is deployed into it, then builds what `--source` names. @returns the flags with the image in place of the source */
export async function prepare(
  scope: Scope,
  id: string,
  given: readonly Given[],
  engine: OpenRequest['engine'],
  progress: Progress,
): Promise<readonly Given[]> {
  const request: OpenRequest = { project: scope.project, region: scope.region, engine }
  await scope.client.stream<UpEvent>('/open', request, (event) => {
    if (event.kind === 'step') progress.note(`  ${event.name}: ${event.detail ?? ''}`)
  })
  const sources = given.filter(({ flag }) => flag === 'source')
  if (sources.length > 1) throw usage('Only one container can be built from source.', 'Name images for the others.')
  const [source] = sources
  if (source === undefined) return given
  if (source.value.startsWith('gs://')) throw usage('argument --source: archives in Cloud Storage are not emulated.', 'Name a folder.')
  const image = await build(scope, id, source.value, progress)
  const sameContainer = (one: Given) => containerOf(given, one) === containerOf(given, source)
  return given
    .filter((one) => one.flag !== 'image' || !sameContainer(one)) // with --source it names a repository, which nothing is pushed to here
    .map((one) => (one === source ? { flag: 'image', value: image } : one))
}

/** The `--container` that stands before `one`. */
function containerOf(given: readonly Given[], one: Given): Given | undefined {
  return given.slice(0, given.indexOf(one)).findLast(({ flag }) => flag === 'container')
}

async function build(scope: Scope, id: string, folder: string, progress: Progress): Promise<string> {
  let directory: string
  try {
    directory = realpathSync(folder)
  } catch {
    throw usage(`argument --source: there is no folder ${folder}.`, 'Name the folder to build.')
  }
  return progress.step(`build ${id}`, async (detail) => {
    let image = ''
    await scope.client.stream<UpEvent | BuiltEvent>('/build', { project: scope.project, name: id, directory }, (event) => {
      if (event.kind === 'line') progress.line(event.text)
      if (event.kind !== 'built') return
      image = event.image
      detail(event.detail)
    })
    return image
  })
}

/** The service as the flags make it. @param current what there is @param isForced a revision is made also when nothing changed, as `deploy` does */
export function toWanted(
  scope: Scope,
  id: string,
  current: ApiAnswer | undefined,
  given: readonly Given[],
  isForced: boolean,
): ServiceJson {
  const before = current as unknown as ServiceJson | undefined
  const service = structuredClone(before ?? { template: { containers: [] } })
  delete service.template.revision
  const unchanged = structuredClone(service.template)
  const last = (flag: string) => given.findLast((one) => one.flag === flag)
  editService(service, scopeFlags(given), (instance) => `${scope.project}:${scope.region}:${instance}`)
  const missing = service.template.containers.find(({ image }) => image === undefined || image === '')
  if (missing !== undefined || service.template.containers.length === 0) {
    const which = missing?.name === undefined ? '' : ` for the container ${missing.name}`
    throw usage(
      `Requires a container image to deploy${which} if no build source is provided.`,
      'Add --image=IMAGE, or --source=. to build this folder.',
    )
  }
  const [suffix, tag, traffic] = [last('revision-suffix'), last('tag'), last('traffic')]
  const isSame = before !== undefined && isDeepStrictEqual(unchanged, service.template)
  if (suffix !== undefined && suffix.value !== '') service.template.revision = `${id}-${suffix.value}`
  else if (tag !== undefined || (isForced && isSame)) service.template.revision = nextRevision(id, before)
  if (traffic?.value === 'false') service.traffic = [...withoutTraffic(service)]
  if (tag !== undefined) {
    const now = service.traffic ?? []
    service.traffic = [...withTag(now.length === 0 ? editTraffic(service, []) : now, tag.value, service.template.revision ?? '')]
  }
  return service
}

/** `SERVICE-00002-abc` after `SERVICE-00001-xyz`, as gcloud names a revision that it must know before it is made. */
function nextRevision(id: string, before: ServiceJson | undefined): string {
  const [, number = '0'] = /-(\d{5})-[a-z]{3}$/.exec(before?.latestCreatedRevision ?? '') ?? []
  const letters = 'bcdfghjklmnpqrstvwxz'
  const three = Array.from(crypto.getRandomValues(new Uint8Array(3)), (byte) => letters[byte % letters.length]).join('')
  return `${id}-${String(Number(number) + 1).padStart(5, '0')}-${three}`
}

/** Creates or replaces the service. @returns the operation */
export function send(scope: Scope, id: string, current: ApiAnswer | undefined, service: ServiceJson): Promise<ApiAnswer> {
  const path = `${scope.parent}/services`
  return current === undefined
    ? scope.api.call('POST', `${path}?serviceId=${encodeURIComponent(id)}`, service)
    : scope.api.call('PATCH', `${path}/${id}`, service)
}

/** Waits for a deployment. @returns the service that came of it @throws CloudError with the container's last words */
export function waitForService(scope: Scope, id: string, operation: ApiAnswer, progress: Progress): Promise<ApiAnswer> {
  const path = `${scope.parent}/services/${id}`
  return progress.step(`service ${id}`, async (detail) => {
    await scope.api.wait(operation, async () => {
      const now = await scope.api.find(path)
      if (now !== undefined) detail(lastPart(String(now['latestCreatedRevision'] ?? '')))
    })
    const service = await scope.api.call('GET', path)
    detail(lastPart(String(service['latestReadyRevision'] ?? '')))
    return service
  })
}

/** The addresses of a service: the one for a browser on this machine first, then run.app's. */
export async function urlsOf(scope: Scope, id: string, service: ApiAnswer): Promise<readonly string[]> {
  const { services } = await scope.client.get<PsAnswer>(`/ps?project=${encodeURIComponent(scope.project)}`)
  const local = services.find(({ service: one }) => one === id)?.url
  const urls = Array.isArray(service['urls']) ? service['urls'].map(String) : [String(service['uri'] ?? '')]
  return [...(local === undefined ? [] : [local]), ...urls]
}
