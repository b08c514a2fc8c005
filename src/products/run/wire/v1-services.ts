import { create } from '@bufbuild/protobuf'
import type { FastifyInstance } from 'fastify'
import {
  CreateServiceRequestSchema,
  DeleteServiceRequestSchema,
  ServiceSchema,
  UpdateServiceRequestSchema,
  type Service,
} from '../../../api/gen/google/cloud/run/v2/service_pb.ts'
import type { DeployParts } from '../services/deploy.ts'
import type { ServiceAdmin } from '../services/services.ts'
import { findBelow, serveCollection, serveWrites, type V1Collection } from './v1-collection.ts'
import { toV1Configuration, toV1Route } from './v1-revision.ts'
import { serviceSchema } from './v1-schema.ts'
import { fromV1Service, toV1Service } from './v1-service.ts'

/** Services, and what Knative makes of them, over the service methods of version 2. */
export function serveServices(app: FastifyInstance, { needs, store }: DeployParts, admin: ServiceAdmin): void {
  const readOnly = {
    all: (parent: string) => store.newest(parent),
    get: findBelow('services', (parent) => store.newest(parent), (name) => store.get(name)), // prettier-ignore
    labelsOf: ({ labels }: Service) => labels,
  }
  const services: V1Collection<Service> = {
    ...readOnly,
    kind: 'Service',
    path: '/v1/projects/:project/locations/:location/services',
    show: toV1Service,
    delete: ({ name }, validateOnly) => admin.delete(create(DeleteServiceRequestSchema, { name, validateOnly })),
  }
  serveCollection(app, needs, services)
  serveCollection(app, needs, { ...readOnly, kind: 'Route', show: toV1Route })
  serveCollection(app, needs, { ...readOnly, kind: 'Configuration', show: toV1Configuration })
  serveWrites(app, needs, services, {
    schema: serviceSchema,
    message: ServiceSchema,
    collection: 'services',
    from: fromV1Service,
    create: ({ parent, id: serviceId, item: service }, { caller, isDryRun: validateOnly }) =>
      admin.create(create(CreateServiceRequestSchema, { parent, serviceId, service, validateOnly }), caller),
    replace: (service, { caller, isDryRun: validateOnly }) =>
      admin.update(create(UpdateServiceRequestSchema, { service, validateOnly }), caller),
  })
}
