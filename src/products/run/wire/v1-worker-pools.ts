import type { FastifyInstance } from 'fastify'
import { WorkerPoolSchema } from '../../../api/gen/google/cloud/run/v2/worker_pool_pb.ts'
import type { RunNeeds } from '../needs.ts'
import type { WorkerPoolApi } from '../worker-pools/worker-pools.ts'
import { serveCollection } from './v1-collection.ts'
import { readV1, workerPoolSchema } from './v1-schema.ts'
import { fromV1WorkerPool, toV1WorkerPool } from './v1-worker-pool.ts'

/** Worker pools over the methods of version 2: gcloud lists, describes and replaces them here, and does the rest over version 2. */
export function serveWorkerPools(app: FastifyInstance, needs: RunNeeds, pools: WorkerPoolApi): void {
  serveCollection(app, needs, {
    kind: 'WorkerPool',
    collection: 'workerPools',
    all: (parent) => pools.all(parent),
    byName: (name) => pools.getWorkerPool({ name }),
    show: toV1WorkerPool,
    writes: { read: (body, name) => fromV1WorkerPool(readV1(workerPoolSchema, body), name), message: WorkerPoolSchema, by: pools.writes },
  })
}
