import { create } from '@bufbuild/protobuf'
import type { HandlerContext, ServiceImpl } from '@connectrpc/connect'
import { callerOf } from '../../../api/caller.ts'
import {
  ListServicesResponseSchema,
  ServiceSchema,
  type ListServicesRequest,
  type Service,
  type Services,
} from '../../../api/gen/google/cloud/run/v2/service_pb.ts'
import { CloudError } from '../../../base/cloud-error.ts'
import { lastPart } from '../../../base/last-part.ts'
import { isFailed, markReconciling } from '../conditions.ts'
import { tellSystem } from '../instances/instance-log.ts'
import { invalid } from '../invalid.ts'
import { locationOf, projectOf, serviceKind } from '../names.ts'
import { openWrites, type ResourceWrites } from '../resource-writes.ts'
import { openRevisionApi, type RevisionApi } from '../revisions/revision-api.ts'
import { unactedFields, unactedWords } from '../unacted-fields.ts'
import type { DeployParts } from './deploy.ts'
import type { Deployments } from './deployments.ts'
import { sharesOf } from './route.ts'
import { isTrafficOnly, toStored } from './service-fields.ts'
import { checkMetadata } from './service-rules.ts'
import type { ServiceStore } from './service-store.ts'
import { namedRevisions } from './traffic.ts'

/** Source: cloud.google.com/run/quotas. */
const mostServices = 1000

/** Writes are long-running operations: the deployment goes on behind the answer. */
export function openServiceWrites(parts: DeployParts, deployments: Deployments): ResourceWrites<Service> {
  const { needs, store, revisions, instances } = parts
  const now = () => new Date(needs.clock.nowMs())
  return openWrites(needs, serviceKind, ServiceSchema, store, {
    toStored(sent, name, current, caller) {
      if (current === undefined) checkPlace(store, locationOf(name))
      const service = toStored(sent, name, current, needs.project(projectOf(name)), caller, now())
      checkTargets(parts, service)
      revisions.checkName(service)
      return service
    },
    async apply(service, current) {
      const isLight = isTrafficOnly(service, current)
      const { revision, saved } = revisions.forTemplate(service)
      service.latestCreatedRevision = revision.name
      markReconciling(service, 'Deploying revision.', now())
      await Promise.all([saved, store.put(service)])
      const unacted = unactedFields(service)
      if (unacted.length > 0 && !isLight) tellSystem(needs, revision, { severity: 'WARNING', text: unactedWords(unacted) })
      return deployments.start(service, isLight)
    },
    async delete(service) {
      needs.router.removeRoute(projectOf(service.name), lastPart(service.name))
      const old = revisions.list(service.name)
      const gone = await store.retire(service)
      return async () => {
        await Promise.all(old.map(({ name }) => instances.retire(name)))
        return gone
      }
    },
  })
}

/** Whether one more service may be made there. */
function checkPlace(store: ServiceStore, location: string): void {
  checkLocation(location)
  if (store.names(location).length < mostServices) return
  throw new CloudError('RESOURCE_EXHAUSTED', `${location} has ${mostServices} services, which is the most.`, 'Delete one first.')
}

/** google.cloud.run.v2.Revisions, of services. */
export function openServiceRevisions({ needs, store, revisions, instances }: DeployParts): RevisionApi {
  return openRevisionApi(needs, store, revisions, {
    // cloud.google.com/run/docs/managing/revisions, "Deleting revisions"
    whyKept(service, { name }) {
      const next = 'gcloud run services update-traffic'
      if (sharesOf(service).has(lastPart(name))) return { why: 'it takes traffic or has a tag', next }
      const isLatest = [service.latestCreatedRevision, service.latestReadyRevision].includes(name)
      return isLatest ? { why: 'it is the latest of its service', next } : undefined
    },
    stop: (revision) => instances.retire(revision),
  })
}

/** google.cloud.run.v2.Services. */
export function serviceRpcs({ store }: DeployParts, writes: ResourceWrites<Service>): Partial<ServiceImpl<typeof Services>> {
  return {
    createService({ parent, serviceId: id, service: sent, validateOnly }, context: HandlerContext) {
      if (sent !== undefined) checkMetadata(sent, undefined)
      return writes.create({ parent, id, sent, validateOnly }, callerOf(context).email)
    },
    updateService({ service: sent, updateMask, allowMissing, validateOnly }, context: HandlerContext) {
      if (sent !== undefined) checkMetadata(sent, store.find(sent.name))
      return writes.update({ sent, mask: updateMask?.paths ?? [], allowMissing, validateOnly }, callerOf(context).email)
    },
    deleteService: (request) => writes.delete(request),
    getService: (request) => store.get(request.name),
    listServices(request: ListServicesRequest) {
      checkLocation(request.parent)
      const page = store.page(request, request.showDeleted ? (parent) => store.listDeleted(parent) : undefined)
      return create(ListServicesResponseSchema, { services: [...page.items], nextPageToken: page.nextPageToken })
    },
  }
}

/** A revision that the traffic names must be there, and must not have failed. */
function checkTargets({ revisions }: DeployParts, service: Service): void {
  for (const id of namedRevisions(service.traffic)) {
    const revision = revisions.get(`${service.name}/revisions/${id}`)
    if (revision === undefined) {
      if (id === service.template?.revision) continue
      throw new CloudError('FAILED_PRECONDITION', `Revision '${id}' is not found.`, 'gcloud run revisions list')
    }
    if (isFailed(revision))
      throw new CloudError('FAILED_PRECONDITION', `Revision '${id}' is not ready and cannot serve traffic.`, 'Choose one that is ready.')
  }
}

/** The v2 API has no `-` for every location (service.proto, ListServicesRequest). */
function checkLocation(name: string): void {
  if (!/\/locations\/-(\/|$)/.test(name)) return
  throw invalid('Location "-" is not allowed: name one location.', 'Ask one location at a time.')
}
