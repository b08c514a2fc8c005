import type { FastifyInstance } from 'fastify'
import type { RunNeeds } from '../needs.ts'
import type { RevisionApi } from '../revisions/revision-api.ts'
import { serveCollection } from './v1-collection.ts'
import { revisionLabels, toV1Revision } from './v1-revision.ts'

/** Revisions of services and of worker pools: one collection, in which clients tell them apart by their labels. */
export function serveRevisions(app: FastifyInstance, needs: RunNeeds, revisions: RevisionApi): void {
  serveCollection(app, needs, {
    kind: 'Revision',
    collection: 'revisions',
    all: (parent) => revisions.all(parent),
    show: toV1Revision,
    labelsOf: revisionLabels,
    delete: ({ name }, validateOnly) => revisions.deleteRevision({ name, etag: '', validateOnly }),
  })
}
