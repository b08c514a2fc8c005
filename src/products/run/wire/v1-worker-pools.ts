import { create } from '@bufbuild/protobuf'
import type { FastifyInstance } from 'fastify'
import {
  CreateWorkerPoolRequestSchema,
  UpdateWorkerPoolRequestSchema,
  WorkerPoolSchema,
  type WorkerPool,
} from '../../../api/gen/google/cloud/run/v2/worker_pool_pb.ts'
import type { RunNeeds } from '../needs.ts'
import type { WorkerPoolApi } from '../worker-pools/worker-pools.ts'
import { findBelow, serveCollection, serveWrites, type V1Collection } from './v1-collection.ts'
import { workerPoolSchema } from './v1-schema.ts'
import { fromV1WorkerPool, toV1WorkerPool } from './v1-worker-pool.ts'

/** Worker pools over the methods of version 2: gcloud lists, describes and replaces them here, and does the rest over version 2. */
export function serveWorkerPools(app: FastifyInstance, needs: RunNeeds, pools: WorkerPoolApi): void {
  const collection: V1Collection<WorkerPool> = {
    kind: 'WorkerPool',
    all: (parent) => pools.all(parent),
    get: findBelow('workerPools', (parent) => pools.all(parent), (name) => pools.getWorkerPool({ name })), // prettier-ignore
    show: toV1WorkerPool,
    labelsOf: ({ labels }) => labels,
    delete: ({ name }, validateOnly) => pools.deleteWorkerPool({ name, etag: '', validateOnly }),
  }
  serveCollection(app, needs, collection)
  serveWrites(app, needs, collection, {
    schema: workerPoolSchema,
    message: WorkerPoolSchema,
    collection: 'workerPools',
    from: fromV1WorkerPool,
    create: ({ parent, id: workerPoolId, item: workerPool }, { caller, isDryRun: validateOnly }) =>
      pools.createWorkerPool(create(CreateWorkerPoolRequestSchema, { parent, workerPoolId, workerPool, validateOnly }), caller),
    replace: (workerPool, { caller, isDryRun: validateOnly }) =>
      pools.updateWorkerPool(create(UpdateWorkerPoolRequestSchema, { workerPool, validateOnly }), caller),
  })
}
