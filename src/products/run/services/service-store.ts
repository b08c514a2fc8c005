import { timestampDate, timestampFromDate } from '@bufbuild/protobuf/wkt'
import { ServiceSchema, type Service } from '../../../api/gen/google/cloud/run/v2/service_pb.ts'
import { readMessage, writeMessage } from '../../../api/message-row.ts'
import { openCollection, projectsIn } from '../../../state/collection.ts'
import type { RunNeeds } from '../needs.ts'
import { notFound, readName, serviceKind } from '../names.ts'

/** Services as rows of the state. */
export interface ServiceStore {
  /** The name with the project's id, which a number stands for. @throws CloudError INVALID_ARGUMENT */
  canonical(name: string): string
  find(name: string): Service | undefined
  /** @throws CloudError NOT_FOUND */
  get(name: string): Service
  /** Of `projects/P`, or of one location below it, or of every project for an empty prefix; newest first. */
  list(prefix: string): readonly Service[]
  /** Those that were deleted and are not forgotten yet: for showDeleted. */
  listDeleted(prefix: string): readonly Service[]
  put(service: Service): Promise<void>
  /** Takes the row away, and answers the service with the times of its end. */
  delete(service: Service): Promise<Service>
  /** Names of all under `prefix`; none is read. */
  names(prefix: string): readonly string[]
  /** Forgets all under `prefix`, those that were deleted too. */
  removeAll(prefix: string): Promise<void>
  /** Ids of the projects that have some. */
  projects(): readonly string[]
}

/** How long a deleted service is listed on request. */
const keptMs = 30 * 86_400_000

export function openServiceStore(needs: Pick<RunNeeds, 'state' | 'project' | 'clock'>): ServiceStore {
  const rows = openCollection(needs.state, 'run.service')
  const deleted = openCollection(needs.state, 'run.service.deleted')
  const read = (value: string) => readMessage(ServiceSchema, value)
  const write = (service: Service) => writeMessage(ServiceSchema, service)
  const canonical = (name: string) => {
    const { project, region, id } = readName(serviceKind, name)
    return `projects/${needs.project(project).id}/locations/${region}/services/${id}`
  }
  const find = (name: string) => {
    const value = rows.get(canonical(name))
    return value === undefined ? undefined : read(value)
  }
  const list = (from: typeof rows, prefix: string) =>
    from
      .list(prefix)
      .map(({ value }) => read(value))
      .toSorted((a, b) => createdMs(b) - createdMs(a))
  return {
    canonical,
    find,
    get(name) {
      const service = find(name)
      if (service !== undefined) return service
      throw notFound(serviceKind, readName(serviceKind, name))
    },
    list: (prefix) => list(rows, prefix),
    listDeleted: (prefix) =>
      list(deleted, prefix).filter(
        ({ expireTime }) => expireTime !== undefined && timestampDate(expireTime).getTime() > needs.clock.nowMs(),
      ),
    put: (service) => rows.put(service.name, write(service)),
    async delete(service) {
      const nowMs = needs.clock.nowMs()
      service.deleteTime = timestampFromDate(new Date(nowMs))
      service.expireTime = timestampFromDate(new Date(nowMs + keptMs))
      await Promise.all([rows.delete(service.name), deleted.put(service.name, write(service))])
      return service
    },
    names: (prefix) => rows.list(prefix).map(({ name }) => name),
    removeAll: async (prefix) => void (await Promise.all([rows.deleteAll(prefix), deleted.deleteAll(prefix)])),
    projects: () => [rows, deleted].flatMap(projectsIn),
  }
}

function createdMs({ createTime }: Service): number {
  return createTime === undefined ? 0 : timestampDate(createTime).getTime()
}
