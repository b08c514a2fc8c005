import type { FastifyInstance } from 'fastify'
import { ServiceSchema, type Service } from '../../../api/gen/google/cloud/run/v2/service_pb.ts'
import type { RunNeeds } from '../needs.ts'
import type { ResourceWrites } from '../resource-writes.ts'
import type { ServiceStore } from '../services/service-store.ts'
import { serveCollection } from './v1-collection.ts'
import { toV1Configuration, toV1Route } from './v1-revision.ts'
import { readV1, serviceSchema } from './v1-schema.ts'
import { fromV1Service, toV1Service } from './v1-service.ts'

/** Services, and what Knative makes of them, over the service methods of version 2. */
export function serveServices(app: FastifyInstance, needs: RunNeeds, store: ServiceStore, writes: ResourceWrites<Service>): void {
  const services = {
    collection: 'services',
    all: (parent: string) => store.newest(parent),
    byName: (name: string) => store.get(name),
  }
  serveCollection(app, needs, {
    ...services,
    kind: 'Service',
    path: '/v1/projects/:project/locations/:location/services',
    show: toV1Service,
    writes: { read: (body, name) => fromV1Service(readV1(serviceSchema, body), name), message: ServiceSchema, by: writes },
  })
  serveCollection(app, needs, { ...services, kind: 'Route', show: toV1Route })
  serveCollection(app, needs, { ...services, kind: 'Configuration', show: toV1Configuration })
}
