import { create } from '@bufbuild/protobuf'
import {
  ListRevisionsResponseSchema,
  RevisionSchema,
  type DeleteRevisionRequest,
  type GetRevisionRequest,
  type ListRevisionsRequest,
  type ListRevisionsResponse,
  type Revision,
} from '../../../api/gen/google/cloud/run/v2/revision_pb.ts'
import type { Operation } from '../../../api/gen/google/longrunning/operations_pb.ts'
import { paginateList } from '../../../api/pages.ts'
import { CloudError } from '../../../base/cloud-error.ts'
import { lastPart } from '../../../base/last-part.ts'
import { checkEtag } from '../etags.ts'
import type { RunNeeds } from '../needs.ts'
import { aboutResource } from '../resource-writes.ts'
import type { RunResources } from '../resources.ts'
import type { Revisions } from './revisions.ts'

/** google.cloud.run.v2.Revisions. */
export interface RevisionApi {
  /** Of all services or worker pools below `parent`. */
  all(parent: string): readonly Revision[]
  getRevision(request: Pick<GetRevisionRequest, 'name'>): Revision
  /** `services/-` is every service of a location. */
  listRevisions(request: Pick<ListRevisionsRequest, 'parent' | 'pageSize' | 'pageToken'>): ListRevisionsResponse
  deleteRevision(request: Pick<DeleteRevisionRequest, 'name' | 'etag' | 'validateOnly'>): Promise<Operation>
}

/** What differs between services and worker pools. */
export interface RevisionRules<T> {
  /** Why a revision cannot be deleted, and what to do first; undefined when it can. */
  whyKept(owner: T, revision: Revision): { readonly why: string; readonly next: string } | undefined
  /** Stops what runs for one that is deleted. */
  stop(revision: string): Promise<unknown>
}

export function openRevisionApi<T extends { readonly name: string }>(
  needs: Pick<RunNeeds, 'operations'>,
  owners: RunResources<T>,
  revisions: Pick<Revisions<unknown>, 'get' | 'list' | 'remove'>,
  { whyKept, stop }: RevisionRules<T>,
): RevisionApi {
  const all = (parent: string) => owners.newest(parent).flatMap(({ name }) => revisions.list(name))
  const get = (name: string): Revision => {
    const [, parent, id = ''] = /^(.+)\/revisions\/([^/]+)$/.exec(name) ?? []
    const found = parent === undefined ? undefined : revisions.get(`${owners.canonical(parent)}/revisions/${id}`)
    if (found !== undefined) return found
    throw new CloudError('NOT_FOUND', `Revision '${id || name}' was not found.`, 'gcloud run revisions list')
  }
  return {
    all,
    getRevision: ({ name }) => get(name),
    listRevisions({ parent, pageSize, pageToken }) {
      const owner = owners.canonical(parent)
      const listed = owner.endsWith('/-') ? all(owner.slice(0, -2)) : revisions.list(owners.get(owner).name)
      const { items, nextPageToken } = paginateList(listed, pageSize, pageToken)
      return create(ListRevisionsResponseSchema, { revisions: [...items], nextPageToken })
    },
    async deleteRevision({ name, etag, validateOnly }) {
      const revision = get(name)
      checkEtag(etag, revision.etag)
      const kept = whyKept(owners.get(revision.name.replace(/\/revisions\/.*/, '')), revision)
      if (kept !== undefined)
        throw new CloudError('FAILED_PRECONDITION', `Revision '${lastPart(name)}' cannot be deleted: ${kept.why}.`, kept.next)
      const about = aboutResource(RevisionSchema, revision)
      if (validateOnly) return needs.operations.done(about, about.metadata)
      await revisions.remove(revision.name)
      return needs.operations.start(about, async () => {
        await stop(revision.name)
        return about.metadata
      })
    },
  }
}

/** Both as one: the name tells which. */
export function revisionsOfBoth(ofServices: RevisionApi, ofPools: RevisionApi): RevisionApi {
  const of = (name: string) => (name.includes('/workerPools/') ? ofPools : ofServices)
  return {
    all: (parent) => [...ofServices.all(parent), ...ofPools.all(parent)],
    getRevision: (request) => of(request.name).getRevision(request),
    listRevisions: (request) => of(request.parent).listRevisions(request),
    deleteRevision: (request) => of(request.name).deleteRevision(request),
  }
}
