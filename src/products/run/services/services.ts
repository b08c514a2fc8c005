import { create } from '@bufbuild/protobuf'
import type { HandlerContext, ServiceImpl } from '@connectrpc/connect'
import { callerOf } from '../../../api/caller.ts'
import {
  ListServicesResponseSchema,
  ServiceSchema,
  type CreateServiceRequest,
  type DeleteServiceRequest,
  type ListServicesRequest,
  type Service,
  type Services,
  type UpdateServiceRequest,
} from '../../../api/gen/google/cloud/run/v2/service_pb.ts'
import type { Operation } from '../../../api/gen/google/longrunning/operations_pb.ts'
import { applyMask } from '../../../api/masks.ts'
import { paginateList } from '../../../api/pages.ts'
import { CloudError } from '../../../base/cloud-error.ts'
import { isFailed, markReconciling } from '../conditions.ts'
import type { DeployParts } from './deploy.ts'
import type { Deployments } from './deployments.ts'
import { tellSystem } from '../instances/instance-log.ts'
import { unactedFields, unactedWords } from '../unacted-fields.ts'
import { checkId, locationOf, projectOf, readName, serviceKind } from '../names.ts'
import { checkEtag, newEtag } from '../etags.ts'
import { isTrafficOnly, toStored } from './service-fields.ts'
import { checkMetadata } from './service-rules.ts'
import { namedRevisions } from './traffic.ts'

/** Services as both versions of the API write them. `caller` is the email of who asks. */
export interface ServiceAdmin {
  create(request: CreateServiceRequest, caller: string): Promise<Operation>
  update(request: UpdateServiceRequest, caller: string): Promise<Operation>
  delete(request: DeleteServiceRequest): Promise<Operation>
}

/** Source: cloud.google.com/run/quotas. */
const mostServices = 1000

/** Writes are long-running operations: the deployment goes on behind the answer. */
export function openServiceAdmin(parts: DeployParts, deployments: Deployments): ServiceAdmin {
  const { needs, store, revisions, instances } = parts
  const now = () => new Date(needs.clock.nowMs())
  const done = (service: Service) =>
    needs.operations.done({ parent: locationOf(service.name), metadata: [ServiceSchema, service] }, [ServiceSchema, service])

  /** From reading `current` to the write nothing waits, so that two writers never build on the same state. */
  const write = async (
    sent: Service,
    name: string,
    current: Service | undefined,
    caller: string,
    validateOnly: boolean,
  ): Promise<Operation> => {
    const service = toStored(sent, name, current, needs.project(projectOf(name)), caller, now())
    checkTargets(parts, service)
    service.etag = newEtag()
    if (validateOnly) {
      revisions.checkName(service)
      return done(service)
    }
    const isLight = isTrafficOnly(service, current)
    const { revision, saved } = revisions.forTemplate(service)
    service.latestCreatedRevision = revision.name
    markReconciling(service, 'Deploying revision.', now())
    await Promise.all([saved, store.put(service)])
    const unacted = unactedFields(service)
    if (unacted.length > 0 && !isLight) tellSystem(needs, revision, { severity: 'WARNING', text: unactedWords(unacted) })
    return deployments.start(service, isLight)
  }
  const createNew = (sent: Service, name: string, caller: string, validateOnly: boolean) => {
    const parent = locationOf(name)
    if (store.list(`${parent}/`).length >= mostServices)
      throw new CloudError('RESOURCE_EXHAUSTED', `${parent} has ${mostServices} services, which is the most.`, 'Delete one first.')
    return write(sent, name, undefined, caller, validateOnly)
  }
  return {
    async create(request, caller) {
      checkId(serviceKind, request.serviceId)
      const name = store.canonical(`${request.parent}/services/${request.serviceId}`)
      checkLocation(name)
      if (store.find(name) !== undefined)
        throw new CloudError('ALREADY_EXISTS', `Resource '${request.serviceId}' already exists.`, 'Update it, or choose another id.')
      return createNew(request.service ?? create(ServiceSchema), name, caller, request.validateOnly)
    },
    async update(request, caller) {
      const sent = request.service ?? create(ServiceSchema)
      const name = store.canonical(sent.name)
      const current = store.find(name)
      if (current === undefined) {
        if (!request.allowMissing) store.get(sent.name)
        checkId(serviceKind, readName(serviceKind, name).id)
        return createNew(sent, name, caller, request.validateOnly)
      }
      checkEtag(sent.etag, current.etag)
      const mask = request.updateMask?.paths ?? []
      return write(mask.length === 0 ? sent : applyMask(ServiceSchema, current, sent, mask), name, current, caller, request.validateOnly)
    },
    async delete(request) {
      const service = store.get(request.name)
      checkEtag(request.etag, service.etag)
      if (request.validateOnly) return done(service)
      const { project, id } = readName(serviceKind, service.name)
      needs.router.removeRoute(project, id)
      const [gone, old] = await Promise.all([store.delete(service), revisions.removeAll(service.name)])
      return needs.operations.start({ parent: locationOf(service.name), metadata: [ServiceSchema, gone] }, async () => {
        await Promise.all(old.map(({ name }) => instances.retire(name)))
        return [ServiceSchema, gone] as const
      })
    },
  }
}

/** google.cloud.run.v2.Services. */
export function serviceRpcs({ needs, store }: DeployParts, admin: ServiceAdmin): Partial<ServiceImpl<typeof Services>> {
  return {
    createService(request, context: HandlerContext) {
      if (request.service !== undefined) checkMetadata(request.service, undefined)
      return admin.create(request, callerOf(context).email)
    },
    updateService(request, context: HandlerContext) {
      if (request.service !== undefined) checkMetadata(request.service, store.find(request.service.name))
      return admin.update(request, callerOf(context).email)
    },
    deleteService: (request) => admin.delete(request),
    getService: (request) => store.get(request.name),
    listServices(request: ListServicesRequest) {
      const { project, region } = readName(serviceKind, `${request.parent}/services/x`)
      checkLocation(request.parent)
      const prefix = `projects/${needs.project(project).id}/locations/${region}/services/`
      const all = request.showDeleted ? [...store.list(prefix), ...store.listDeleted(prefix)] : store.list(prefix)
      const page = paginateList(all, request.pageSize, request.pageToken)
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
  throw new CloudError('INVALID_ARGUMENT', 'Location "-" is not allowed: name one location.', 'Ask one location at a time.')
}
