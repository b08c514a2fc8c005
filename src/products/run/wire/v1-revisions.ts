import { create } from '@bufbuild/protobuf'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { DeleteRevisionRequestSchema, type Revision } from '../../../api/gen/google/cloud/run/v2/revision_pb.ts'
import { CloudError } from '../../../base/cloud-error.ts'
import type { DeployParts } from '../services/deploy.ts'
import { deleteRevision } from '../services/revision-rpcs.ts'
import type { RunWorkerPools } from '../worker-pools/index.ts'
import { placeOf, toCall, toDeleted, toList, type V1Call } from './v1-call.ts'
import { revisionLabels, toV1Revision } from './v1-revision.ts'
import { poolRevisionLabels, toV1PoolRevision } from './v1-worker-pool.ts'

const group = 'serving.knative.dev'
const version = `${group}/v1`

/** Revisions of services and of worker pools: one collection, in which clients tell them apart by their labels. */
export function serveRevisions(app: FastifyInstance, parts: DeployParts, workerPools: RunWorkerPools): void {
  const { needs, store, revisions } = parts
  const base = `/apis/${version}/namespaces/:namespace/revisions`
  const call = (request: FastifyRequest) => toCall(needs, request)
  const all = ({ project, region }: V1Call): readonly Revision[] => {
    const prefix = `projects/${project.id}/${region === undefined ? '' : `locations/${region}/`}`
    return [...store.list(prefix).flatMap(({ name }) => revisions.list(name)), ...workerPools.revisions.all(prefix)]
  }
  const get = (at: V1Call): Revision => {
    const found = all(at).find(({ name }) => name.endsWith(`/revisions/${at.params['id']}`))
    if (found !== undefined) return found
    throw new CloudError('NOT_FOUND', `Revision '${at.params['id']}' was not found.`, 'gcloud run revisions list')
  }
  const labelsOf = (revision: Revision) => (isOfPool(revision) ? poolRevisionLabels(revision) : revisionLabels(revision))
  const show = (revision: Revision) => {
    const place = placeOf(needs, revision.name)
    return isOfPool(revision) ? toV1PoolRevision(revision, place) : toV1Revision(revision, place)
  }
  const remove = async (request: FastifyRequest) => {
    const at = call(request)
    const revision = get(at)
    const asked = create(DeleteRevisionRequestSchema, { name: revision.name, validateOnly: at.isDryRun })
    await (isOfPool(revision) ? workerPools.revisions.deleteRevision(asked) : deleteRevision(parts, asked))
    return toDeleted(group, 'revisions', at.params['id'] ?? '')
  }
  app.get(base, (request) => toList(call(request), 'RevisionList', version, all(call(request)), labelsOf, show))
  app.get(`${base}/:id`, (request) => show(get(call(request))))
  app.delete(`${base}/:id`, (request) => remove(request))
}

function isOfPool({ name }: Revision): boolean {
  return name.includes('/workerPools/')
}
