import { create } from '@bufbuild/protobuf'
import { anyUnpack } from '@bufbuild/protobuf/wkt'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import {
  CreateServiceRequestSchema,
  DeleteServiceRequestSchema,
  ServiceSchema,
  UpdateServiceRequestSchema,
  type Service,
} from '../../../api/gen/google/cloud/run/v2/service_pb.ts'
import type { Operation } from '../../../api/gen/google/longrunning/operations_pb.ts'
import { CloudError } from '../../../base/cloud-error.ts'
import type { DeployParts } from '../services/deploy.ts'
import type { ServiceAdmin } from '../services/services.ts'
import { parentOf, placeOf, toCall, toDeleted, toList, type V1Call } from './v1-call.ts'
import { toV1Configuration, toV1Route } from './v1-revision.ts'
import { readV1, serviceSchema, type Json } from './v1-schema.ts'
import { fromV1Service, toV1Service } from './v1-service.ts'

const group = 'serving.knative.dev'
const version = `${group}/v1`

/** Services, and what Knative makes of them, over the service methods of version 2. */
export function serveServices(app: FastifyInstance, parts: DeployParts, admin: ServiceAdmin): void {
  const { needs, store } = parts
  const call = (request: FastifyRequest) => toCall(needs, request)
  const show = (service: Service) => toV1Service(service, placeOf(needs, service.name))

  /** Of the call's region; of every region where none is told. */
  const all = ({ project, region }: V1Call) => store.list(`projects/${project.id}/${region === undefined ? '' : `locations/${region}/`}`)
  const nameOf = (at: V1Call, id: string) => {
    const known = at.region === undefined ? all(at).find(({ name }) => name.endsWith(`/services/${id}`)) : undefined
    return known?.name ?? `${parentOf(at)}/services/${id}`
  }
  const get = (request: FastifyRequest): Service => {
    const at = call(request)
    return store.get(nameOf(at, at.params['id'] ?? ''))
  }
  const written = (operation: Operation, at: V1Call, name: string): Json => {
    const told = at.isDryRun && operation.result.case === 'response' ? anyUnpack(operation.result.value, ServiceSchema) : undefined
    return show(told ?? store.get(name))
  }

  const createService = async (request: FastifyRequest) => {
    const at = call(request)
    const body = readV1(serviceSchema, at.body)
    const serviceId = body.metadata.name ?? ''
    const parent = parentOf(at)
    const name = `${parent}/services/${serviceId}`
    const service = fromV1Service(body, name)
    service.etag = ''
    const asked = create(CreateServiceRequestSchema, { parent, serviceId, service, validateOnly: at.isDryRun })
    return written(await admin.create(asked, at.caller), at, name)
  }
  const replaceService = async (request: FastifyRequest) => {
    const at = call(request)
    const body = readV1(serviceSchema, at.body)
    const id = at.params['id'] ?? ''
    if ((body.metadata.name ?? id) !== id)
      throw new CloudError('INVALID_ARGUMENT', `metadata.name: "${body.metadata.name}" is not the "${id}" of the URL.`, 'Correct either.')
    const { name } = store.get(nameOf(at, id))
    const asked = create(UpdateServiceRequestSchema, { service: fromV1Service(body, name), validateOnly: at.isDryRun })
    return written(await admin.update(asked, at.caller), at, name)
  }
  const deleteService = async (request: FastifyRequest) => {
    const { name } = get(request)
    await admin.delete(create(DeleteServiceRequestSchema, { name, validateOnly: call(request).isDryRun }))
    return toDeleted(group, 'services', name.split('/').at(-1) ?? '')
  }
  const listServices = (request: FastifyRequest) => {
    const at = call(request)
    return toList(
      at,
      'ServiceList',
      version,
      all(at),
      ({ name, labels }) => ({ ...labels, 'cloud.googleapis.com/location': placeOf(needs, name).region }),
      show,
    )
  }
  for (const base of [`/apis/${version}/namespaces/:namespace/services`, '/v1/projects/:project/locations/:location/services']) {
    app.post(base, (request) => createService(request))
    app.get(base, listServices)
    app.get(`${base}/:id`, (request) => show(get(request)))
    app.put(`${base}/:id`, (request) => replaceService(request))
    app.delete(`${base}/:id`, (request) => deleteService(request))
  }

  for (const [collection, kind, toItem] of [
    ['routes', 'RouteList', toV1Route],
    ['configurations', 'ConfigurationList', toV1Configuration],
  ] as const) {
    const showItem = (service: Service) => toItem(service, placeOf(needs, service.name))
    const base = `/apis/${version}/namespaces/:namespace/${collection}`
    app.get(base, (request) => toList(call(request), kind, version, all(call(request)), ({ labels }) => labels, showItem))
    app.get(`${base}/:id`, (request) => showItem(get(request)))
  }
}
