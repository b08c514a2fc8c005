import { isDeepStrictEqual } from 'node:util'
import { lastPart } from '../../../base/last-part.ts'
import type { ApiAnswer, PsAnswer } from '../../../daemon/control-protocol.ts'
import { requireImages } from './edit-job.ts'
import { editService, scopeFlags } from './edit-service.ts'
import { editTraffic, withoutTraffic, withTag } from './edit-traffic.ts'
import type { Given } from './flag-values.ts'
import type { Progress } from './progress.ts'
import type { ServiceJson } from './run-json.ts'
import type { Scope } from './scope.ts'

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
  editService(service, scopeFlags(given), scope.connectionName)
  requireImages(service.template)
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
