import { create } from '@bufbuild/protobuf'
import type { ServiceImpl } from '@connectrpc/connect'
import {
  ListRevisionsResponseSchema,
  RevisionSchema,
  type DeleteRevisionRequest,
  type Revision,
  type Revisions as RevisionsService,
} from '../../../api/gen/google/cloud/run/v2/revision_pb.ts'
import type { Operation } from '../../../api/gen/google/longrunning/operations_pb.ts'
import { paginateList } from '../../../api/pages.ts'
import { CloudError } from '../../../base/cloud-error.ts'
import type { DeployParts } from './deploy.ts'
import { sharesOf } from './route.ts'
import { checkEtag } from '../etags.ts'

/** google.cloud.run.v2.Revisions, of services. */
export function revisionRpcs(
  parts: DeployParts,
): Required<Pick<ServiceImpl<typeof RevisionsService>, 'getRevision' | 'listRevisions' | 'deleteRevision'>> {
  const { store, revisions } = parts
  return {
    getRevision: (request) => findRevision(parts, request.name),
    listRevisions(request) {
      const parent = store.canonical(request.parent)
      const isAny = parent.endsWith('/services/-')
      const services = isAny ? store.list(parent.slice(0, -1)).map(({ name }) => name) : [store.get(parent).name]
      const all = services.flatMap((name) => revisions.list(name))
      const page = paginateList(all, request.pageSize, request.pageToken)
      return create(ListRevisionsResponseSchema, { revisions: [...page.items], nextPageToken: page.nextPageToken })
    },
    deleteRevision: (request) => deleteRevision(parts, request),
  }
}

/** Both versions of the API delete so. @throws CloudError FAILED_PRECONDITION for one that is needed */
export async function deleteRevision(parts: DeployParts, request: DeleteRevisionRequest): Promise<Operation> {
  const { needs, store, revisions, instances } = parts
  const revision = findRevision(parts, request.name)
  checkEtag(request.etag, revision.etag)
  const [serviceName = '', id = ''] = revision.name.split('/revisions/')
  const service = store.get(serviceName)
  // cloud.google.com/run/docs/managing/revisions, "Deleting revisions"
  if (sharesOf(service).has(id)) throw refused(`Revision '${id}' cannot be deleted: it takes traffic or has a tag.`)
  if ([service.latestCreatedRevision, service.latestReadyRevision].includes(revision.name))
    throw refused(`Revision '${id}' cannot be deleted: it is the latest of its service.`)
  const about = { parent: serviceName.replace(/\/services\/.*/, ''), metadata: [RevisionSchema, revision] as const }
  if (request.validateOnly) return needs.operations.done(about, [RevisionSchema, revision])
  await revisions.remove(revision.name)
  return needs.operations.start(about, async () => {
    await instances.retire(revision.name)
    return [RevisionSchema, revision] as const
  })
}

function findRevision({ store, revisions }: DeployParts, name: string): Revision {
  const [, parent, id] = /^(.+)\/revisions\/([^/]+)$/.exec(name) ?? []
  const found = parent === undefined ? undefined : revisions.get(`${store.canonical(parent)}/revisions/${id}`)
  if (found !== undefined) return found
  throw new CloudError('NOT_FOUND', `Revision '${id ?? name}' was not found.`, 'gcloud run revisions list')
}

function refused(message: string): CloudError {
  return new CloudError('FAILED_PRECONDITION', message, 'gcloud run services update-traffic')
}
