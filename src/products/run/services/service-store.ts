import { timestampFromMs, timestampMs } from '@bufbuild/protobuf/wkt'
import type { Service } from '../../../api/gen/google/cloud/run/v2/service_pb.ts'
import { openResources } from '../../../state/resources.ts'
import { byNewest } from '../by-newest.ts'
import { serviceKind } from '../names.ts'
import type { RunNeeds } from '../needs.ts'
import { openRunResources, rowKinds, type RunResources } from '../resources.ts'
import type { Revisions } from './revisions.ts'

/** Services as rows of the state; their revisions go with them. */
export interface ServiceStore extends RunResources<Service> {
  /** Those that were deleted and are not forgotten yet, newest first: for showDeleted. */
  listDeleted(parent: string): readonly Service[]
  /** Deletes a service, and answers it with the times of its end. */
  retire(service: Service): Promise<Service>
}

/** How long a deleted service is listed on request. */
const keptMs = 30 * 86_400_000

export function openServiceStore(needs: Pick<RunNeeds, 'state' | 'project' | 'clock'>, revisions: Revisions): ServiceStore {
  const services = openRunResources(needs, serviceKind, rowKinds.service, [revisions])
  const deleted = openResources(needs.state, rowKinds.deletedService, {
    isGone: ({ expireTime }) => expireTime === undefined || timestampMs(expireTime) <= needs.clock.nowMs(),
  })
  return {
    ...services,
    listDeleted: (parent) => deleted.list(parent).toSorted(byNewest),
    async retire(service) {
      const nowMs = needs.clock.nowMs()
      service.deleteTime = timestampFromMs(nowMs)
      service.expireTime = timestampFromMs(nowMs + keptMs)
      await Promise.all([services.delete(service.name), deleted.put(service)])
      return service
    },
    projects: () => [...services.projects(), ...deleted.projects()],
    deleteBelow: async (parent) => void (await Promise.all([services.deleteBelow(parent), deleted.deleteBelow(parent)])),
  }
}
