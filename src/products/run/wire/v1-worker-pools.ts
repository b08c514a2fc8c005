import { create } from '@bufbuild/protobuf'
import { anyUnpack } from '@bufbuild/protobuf/wkt'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import {
  CreateWorkerPoolRequestSchema,
  UpdateWorkerPoolRequestSchema,
  WorkerPoolSchema,
  type WorkerPool,
} from '../../../api/gen/google/cloud/run/v2/worker_pool_pb.ts'
import type { Operation } from '../../../api/gen/google/longrunning/operations_pb.ts'
import type { RunNeeds } from '../needs.ts'
import type { WorkerPoolApi } from '../worker-pools/worker-pools.ts'
import { parentOf, placeOf, toCall, toDeleted, toList, type V1Call } from './v1-call.ts'
import { readV1, workerPoolSchema, type Json } from './v1-schema.ts'
import { fromV1WorkerPool, toV1WorkerPool } from './v1-worker-pool.ts'

const group = 'run.googleapis.com'
const version = `${group}/v1`

/** Worker pools over the methods of version 2: gcloud lists, describes and replaces them here, and does the rest over version 2. */
export function serveWorkerPools(app: FastifyInstance, needs: RunNeeds, pools: WorkerPoolApi): void {
  const call = (request: FastifyRequest) => toCall(needs, request)
  const base = `/apis/${version}/namespaces/:namespace/workerpools`
  const all = ({ project, region }: V1Call) => pools.all(`projects/${project.id}/${region === undefined ? '' : `locations/${region}/`}`)
  const nameOf = (at: V1Call): string => {
    const id = at.params['id'] ?? ''
    return all(at).find(({ name }) => name.endsWith(`/workerPools/${id}`))?.name ?? `${parentOf(at)}/workerPools/${id}`
  }
  const show = (pool: WorkerPool) => toV1WorkerPool(pool, placeOf(needs, pool.name))
  const written = (operation: Operation, at: V1Call, name: string): Json => {
    const told = at.isDryRun && operation.result.case === 'response' ? anyUnpack(operation.result.value, WorkerPoolSchema) : undefined
    return show(told ?? pools.getWorkerPool({ name }))
  }

  const createPool = async (request: FastifyRequest) => {
    const at = call(request)
    const body = readV1(workerPoolSchema, at.body)
    const workerPoolId = body.metadata.name ?? ''
    const parent = parentOf(at)
    const name = `${parent}/workerPools/${workerPoolId}`
    const asked = { parent, workerPoolId, workerPool: fromV1WorkerPool(body, name), validateOnly: at.isDryRun }
    return written(await pools.createWorkerPool(create(CreateWorkerPoolRequestSchema, asked), at.caller), at, name)
  }
  const replacePool = async (request: FastifyRequest) => {
    const at = call(request)
    const name = nameOf(at)
    const workerPool = fromV1WorkerPool(readV1(workerPoolSchema, at.body), name)
    const asked = create(UpdateWorkerPoolRequestSchema, { workerPool, validateOnly: at.isDryRun })
    return written(await pools.updateWorkerPool(asked, at.caller), at, name)
  }
  const deletePool = async (request: FastifyRequest) => {
    const at = call(request)
    await pools.deleteWorkerPool({ name: nameOf(at), etag: '', validateOnly: at.isDryRun })
    return toDeleted(group, 'workerpools', at.params['id'] ?? '')
  }
  app.post(base, (request) => createPool(request))
  app.get(base, (request) => toList(call(request), 'WorkerPoolList', version, all(call(request)), ({ labels }) => labels, show))
  app.get(`${base}/:id`, (request) => show(pools.getWorkerPool({ name: nameOf(call(request)) })))
  app.put(`${base}/:id`, (request) => replacePool(request))
  app.delete(`${base}/:id`, (request) => deletePool(request))
}
