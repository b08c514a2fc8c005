import { clone, create, fromJsonString, toJsonString, type MessageShape } from '@bufbuild/protobuf'
import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import type { ServiceImpl } from '@connectrpc/connect'
import { Condition_State } from '../../api/gen/google/cloud/run/v2/condition_pb.ts'
import {
  DeleteServiceRequestSchema,
  ListServicesResponseSchema,
  ServiceSchema,
  Services,
  type Service,
} from '../../api/gen/google/cloud/run/v2/service_pb.ts'
import { applyMask } from '../../api/masks.ts'
import { paginate } from '../../api/pages.ts'
import { CloudError } from '../../base/cloud-error.ts'
import { openCollection } from '../../state/collection.ts'
import { deploy } from './deploy.ts'
import { hostsOf } from './hosts.ts'
import type { Instances } from './instances.ts'
import type { RunNeeds } from './needs.ts'
import { checkServiceId, condition, readServiceName, withDefaults } from './resources.ts'
import type { Revisions } from './revisions.ts'
import { checkTraffic } from './traffic.ts'

/** google.cloud.run.v2.Services over the rows of the state. Writes are long-running operations: the deployment goes on behind the answer. */
export interface ServiceApi extends Partial<ServiceImpl<typeof Services>> {
  /** Every service of every project, for what a new daemon routes. */
  all(): readonly Service[]
  /** Its name with the project's id. @throws CloudError NOT_FOUND */
  nameOf(name: string): string
  /** Stops what runs for it, and forgets it with its revisions. */
  remove(service: Service): Promise<void>
}

export function openServices(needs: RunNeeds, revisions: Revisions, instances: Instances): ServiceApi {
  const rows = openCollection(needs.state, 'run.service')
  const read = (value: string) => fromJsonString(ServiceSchema, value, { ignoreUnknownFields: true })
  const canonical = (name: string) => {
    const { project, region, service } = readServiceName(name)
    return `projects/${needs.project(project).id}/locations/${region}/services/${service}`
  }
  const find = (name: string) => {
    const value = rows.get(canonical(name))
    return value === undefined ? undefined : read(value)
  }
  const get = (name: string) => {
    const service = find(name)
    if (service !== undefined) return service
    throw new CloudError(
      'NOT_FOUND',
      `Resource '${readServiceName(name).service}' of kind 'SERVICE' in region '${readServiceName(name).region}' in project '${readServiceName(name).project}' does not exist.`,
      'Create it first.',
    )
  }
  const put = (service: Service) => rows.put(service.name, toJsonString(ServiceSchema, service))

  /** Stores `service` as wanted and deploys it behind an operation. Deployments of one service follow one another. */
  const queue = new Map<string, Promise<unknown>>()
  const begin = async (service: Service) => {
    const at = new Date(needs.clock.nowMs())
    service.reconciling = true
    service.updateTime = timestampFromDate(at)
    service.etag = `"${crypto.randomUUID()}"`
    service.terminalCondition = condition('Ready', Condition_State.CONDITION_RECONCILING, 'Deploying revision.', at)
    await put(service)
    const { project, region } = readServiceName(service.name)
    return needs.operations.start({ parent: `projects/${project}/locations/${region}`, metadata: [ServiceSchema, service] }, async () => {
      const before = queue.get(service.name) ?? Promise.resolve()
      const work = before.then(async () => {
        const current = find(service.name)
        if (current === undefined || current.generation !== service.generation) return { service: current ?? service }
        const outcome = await deploy(needs, revisions, instances, current, AbortSignal.timeout(600_000))
        if (find(service.name)?.generation === current.generation) await put(outcome.service)
        return outcome
      })
      const settled = work.catch(() => {})
      queue.set(service.name, settled)
      const outcome = await work
      if (queue.get(service.name) === settled) queue.delete(service.name)
      if ('failure' in outcome && outcome.failure !== undefined) throw outcome.failure
      return [ServiceSchema, outcome.service] as const
    })
  }

  const removeRevisions = async (service: Service) => {
    for (const revision of revisions.list(service.name)) {
      await instances.retire(revision.name)
      await revisions.remove(revision.name)
    }
  }

  return {
    all: () => rows.list('').map((row) => read(row.value)),
    nameOf: (name) => get(name).name,
    async remove(service) {
      const { project, service: id } = readServiceName(service.name)
      needs.router.removeRoute(project, id)
      await rows.delete(service.name)
      await removeRevisions(service)
    },
    async createService(request) {
      checkServiceId(request.serviceId)
      const name = canonical(`${request.parent}/services/${request.serviceId}`)
      if (find(name) !== undefined) {
        throw new CloudError('ALREADY_EXISTS', `Resource '${request.serviceId}' already exists.`, 'Update it, or choose another id.')
      }
      const service = fill(needs, clone(ServiceSchema, request.service ?? create(ServiceSchema)), name)
      service.generation = 1n
      service.createTime = timestampFromDate(new Date(needs.clock.nowMs()))
      if (request.validateOnly)
        return needs.operations.done({ parent: request.parent, metadata: [ServiceSchema, service] }, [ServiceSchema, service])
      return begin(service)
    },
    getService: (request) => get(request.name),
    listServices(request) {
      const { project, region } = readServiceName(`${request.parent}/services/x`)
      const prefix = `projects/${needs.project(project).id}/locations/${region}/services/`
      const page = paginate(rows, prefix, request.pageSize, request.pageToken)
      return create(ListServicesResponseSchema, { services: page.items.map((row) => read(row.value)), nextPageToken: page.nextPageToken })
    },
    async updateService(request) {
      const sent = request.service ?? create(ServiceSchema)
      const name = canonical(sent.name)
      const current = find(name)
      if (current === undefined) {
        if (!request.allowMissing) get(name)
        const created = fill(needs, clone(ServiceSchema, sent), name)
        created.generation = 1n
        created.createTime = timestampFromDate(new Date(needs.clock.nowMs()))
        return begin(created)
      }
      checkEtag(sent.etag, current.etag)
      const mask = request.updateMask?.paths ?? []
      const merged = mask.length === 0 ? clone(ServiceSchema, sent) : applyMask(ServiceSchema, current, sent, mask)
      const service = fill(needs, merged, name)
      keepServerFields(service, current)
      if (request.validateOnly) return needs.operations.done({ parent: name, metadata: [ServiceSchema, service] }, [ServiceSchema, service])
      return begin(service)
    },
    async deleteService(request: MessageShape<typeof DeleteServiceRequestSchema>) {
      const service = get(request.name)
      checkEtag(request.etag, service.etag)
      const { project, region, service: id } = readServiceName(service.name)
      needs.router.removeRoute(project, id)
      await rows.delete(service.name)
      return needs.operations.start({ parent: `projects/${project}/locations/${region}`, metadata: [ServiceSchema, service] }, async () => {
        await removeRevisions(service)
        return [ServiceSchema, service] as const
      })
    },
  }
}

/** Names, addresses and defaults that the server writes; whatever output fields the client sent are not believed. */
function fill(needs: RunNeeds, service: Service, name: string): Service {
  const { project: id, region, service: serviceId } = readServiceName(name)
  const project = needs.project(id)
  if (service.template === undefined)
    throw new CloudError('INVALID_ARGUMENT', 'service.template: must be set.', 'Send a template with a container.')
  checkTraffic(service.traffic)
  const hosts = hostsOf(project, region, serviceId)
  service.name = name
  service.uid ||= crypto.randomUUID()
  service.template = withDefaults(service.template)
  service.uri = `https://${hosts.hashed}`
  service.urls = [...(hosts.deterministic === undefined ? [] : [`https://${hosts.deterministic}`]), service.uri]
  return service
}

function keepServerFields(service: Service, current: Service): void {
  service.uid = current.uid
  service.generation = current.generation + 1n
  service.observedGeneration = current.observedGeneration
  service.creator = current.creator
  service.createTime = current.createTime
  service.latestReadyRevision = current.latestReadyRevision
  service.latestCreatedRevision = current.latestCreatedRevision
  service.trafficStatuses = current.trafficStatuses
  service.conditions = current.conditions
}

function checkEtag(sent: string, current: string): void {
  if (sent === '' || sent === current) return
  throw new CloudError('ABORTED', 'The etag does not match: the resource was changed since it was read.', 'Read it again, then retry.')
}
