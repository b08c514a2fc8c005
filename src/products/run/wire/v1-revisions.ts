import type { FastifyInstance } from 'fastify'
import { CloudError } from '../../../base/cloud-error.ts'
import type { RunNeeds } from '../needs.ts'
import type { RevisionApi } from '../revisions/revision-api.ts'
import { findDeep, serveCollection } from './v1-collection.ts'
import { revisionLabels, toV1Revision } from './v1-revision.ts'

/** Revisions of services and of worker pools: one collection, in which clients tell them apart by their labels. */
export function serveRevisions(app: FastifyInstance, needs: RunNeeds, revisions: RevisionApi): void {
  const missing = (id: string) => new CloudError('NOT_FOUND', `Revision '${id}' was not found.`, 'gcloud run revisions list')
  serveCollection(app, needs, {
    kind: 'Revision',
    all: (parent) => revisions.all(parent),
    get: findDeep('revisions', (parent) => revisions.all(parent), missing),
    show: toV1Revision,
    labelsOf: revisionLabels,
    delete: ({ name }, validateOnly) => revisions.deleteRevision({ name, etag: '', validateOnly }),
  })
}
