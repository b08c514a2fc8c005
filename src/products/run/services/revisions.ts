import { RevisionTemplateSchema, type RevisionTemplate } from '../../../api/gen/google/cloud/run/v2/revision_template_pb.ts'
import type { Revision } from '../../../api/gen/google/cloud/run/v2/revision_pb.ts'
import { lastPart } from '../../../base/last-part.ts'
import { activeCondition, failedConditions, isActive, readyConditions } from '../conditions.ts'
import type { RunNeeds } from '../needs.ts'
import { rowKinds } from '../resources.ts'
import * as rows from '../revisions/revisions.ts'

/** The revisions of services. What runs for them is `instances.ts`. */
export interface Revisions extends rows.Revisions<RevisionTemplate> {
  /** It passed its health check, or `failure` tells why it did not. */
  setReady(name: string, failure?: unknown): Promise<void>
  /** Whether it takes requests. */
  setActive(name: string, isActive: boolean): Promise<void>
}

export function openRevisions(needs: Pick<RunNeeds, 'state' | 'clock'>): Revisions {
  const revisions = rows.openRevisions(needs, {
    rows: rowKinds.revision,
    template: RevisionTemplateSchema,
    own: ({ annotations, healthCheckDisabled }, { name }) => ({
      service: lastPart(name),
      annotations: { ...annotations, ...(healthCheckDisabled && { [healthCheckKey]: 'true' }) },
    }),
  })
  return {
    ...revisions,
    setReady: (name, failure) =>
      revisions.change(name, (revision, at) => {
        revision.reconciling = false
        revision.conditions = failure === undefined ? readyConditions(at, skipsHealthCheck(revision)) : failedConditions(failure, at)
      }),
    async setActive(name, wanted) {
      const revision = revisions.get(name)
      if (revision === undefined || isActive(revision) === wanted) return
      await revisions.change(name, (changed, at) => {
        changed.conditions = [...changed.conditions.filter(({ type }) => type !== 'Active'), activeCondition(wanted, at)]
      })
    },
  }
}

/** Where a revision keeps what its message has no field for. */
const healthCheckKey = 'run.googleapis.com/health-check-disabled'

export function skipsHealthCheck({ annotations }: Revision): boolean {
  return annotations[healthCheckKey] === 'true'
}

/** The template that made `revision`, for starting an instance of it. */
export function templateOf(revision: Revision): RevisionTemplate {
  const template = rows.templateOf(RevisionTemplateSchema, revision)
  template.revision = lastPart(revision.name)
  template.healthCheckDisabled = skipsHealthCheck(revision)
  return template
}
