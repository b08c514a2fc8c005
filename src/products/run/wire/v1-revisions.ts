import { create } from '@bufbuild/protobuf'
import type { FastifyInstance } from 'fastify'
import { DeleteRevisionRequestSchema } from '../../../api/gen/google/cloud/run/v2/revision_pb.ts'
import { CloudError } from '../../../base/cloud-error.ts'
import type { DeployParts } from '../services/deploy.ts'
import { deleteRevision } from '../services/revision-rpcs.ts'
import type { RunWorkerPools } from '../worker-pools/index.ts'
import { findDeep, serveCollection } from './v1-collection.ts'
import { revisionLabels, toV1Revision } from './v1-revision.ts'

/** Revisions of services and of worker pools: one collection, in which clients tell them apart by their labels. */
export function serveRevisions(app: FastifyInstance, parts: DeployParts, workerPools: RunWorkerPools): void {
  const { needs, store, revisions } = parts
  const all = (parent: string) => [
    ...store.newest(parent).flatMap(({ name }) => revisions.list(name)),
    ...workerPools.revisions.all(parent),
  ]
  const missing = (id: string) => new CloudError('NOT_FOUND', `Revision '${id}' was not found.`, 'gcloud run revisions list')
  serveCollection(app, needs, {
    kind: 'Revision',
    all,
    get: findDeep('revisions', all, missing),
    show: toV1Revision,
    labelsOf: revisionLabels,
    delete({ name }, validateOnly) {
      const request = create(DeleteRevisionRequestSchema, { name, validateOnly })
      return name.includes('/workerPools/') ? workerPools.revisions.deleteRevision(request) : deleteRevision(parts, request)
    },
  })
}
