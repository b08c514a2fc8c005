import type { Revision } from '../../../api/gen/google/cloud/run/v2/revision_pb.ts'
import { Condition_State } from '../../../api/gen/google/cloud/run/v2/condition_pb.ts'
import {
  WorkerPoolRevisionTemplateSchema,
  type WorkerPoolRevisionTemplate,
} from '../../../api/gen/google/cloud/run/v2/worker_pool_revision_template_pb.ts'
import { messageOf } from '../../../base/cloud-error.ts'
import { condition } from '../conditions.ts'
import type { RunNeeds } from '../needs.ts'
import { rowKinds } from '../resources.ts'
import { openRevisions, templateOf, type Revisions } from '../revisions/revisions.ts'

/** Revisions of worker pools. */
export interface PoolRevisions extends Revisions<WorkerPoolRevisionTemplate> {
  /** Its instances have come up, or `failure` tells why they did not. */
  setReady(name: string, failure?: unknown): Promise<void>
}

export function openPoolRevisions(needs: Pick<RunNeeds, 'state' | 'clock'>): PoolRevisions {
  const revisions = openRevisions(needs, { rows: rowKinds.poolRevision, template: WorkerPoolRevisionTemplateSchema, own: () => ({}) })
  const { CONDITION_FAILED, CONDITION_SUCCEEDED } = Condition_State
  return {
    ...revisions,
    setReady: (name, failure) =>
      revisions.change(name, (revision, at) => {
        const state = failure === undefined ? CONDITION_SUCCEEDED : CONDITION_FAILED
        revision.reconciling = false
        revision.conditions = [condition('Ready', state, failure === undefined ? '' : messageOf(failure), at)]
      }),
  }
}

/** The template that made `revision`. */
export function poolTemplateOf(revision: Revision): WorkerPoolRevisionTemplate {
  return templateOf(WorkerPoolRevisionTemplateSchema, revision)
}
