import { clone, create, toJson } from '@bufbuild/protobuf'
import { timestampFromMs } from '@bufbuild/protobuf/wkt'
import { RevisionSchema, type Revision } from '../../../api/gen/google/cloud/run/v2/revision_pb.ts'
import {
  WorkerPoolRevisionTemplateSchema,
  type WorkerPoolRevisionTemplate,
} from '../../../api/gen/google/cloud/run/v2/worker_pool_revision_template_pb.ts'
import type { WorkerPool } from '../../../api/gen/google/cloud/run/v2/worker_pool_pb.ts'
import { Condition_State } from '../../../api/gen/google/cloud/run/v2/condition_pb.ts'
import { readMessage, writeMessage } from '../../../api/message-row.ts'
import { CloudError, messageOf } from '../../../base/cloud-error.ts'
import { openCollection } from '../../../state/collection.ts'
import { condition } from '../conditions.ts'
import type { RunNeeds } from '../needs.ts'
import { orderedText, revisionId } from '../resources.ts'
import { newEtag, threeLetters } from '../services/revisions.ts'
import { readPoolName } from './names.ts'

/** Revisions of worker pools, as rows. */
export interface PoolRevisions {
  get(name: string): Revision | undefined
  /** Of one pool, newest first. */
  list(pool: string): readonly Revision[]
  /**
   * The revision for the pool's template: the newest one when nothing of it changed, else a new row.
   * @throws CloudError ALREADY_EXISTS when the template names a revision that another template has
   */
  forTemplate(pool: WorkerPool, isForced: boolean): { readonly revision: Revision; readonly saved: Promise<unknown> }
  setReady(name: string, failure?: unknown): Promise<void>
  remove(name: string): Promise<void>
  /** Removes those of all pools under `prefix`; none is read. */
  removeUnder(prefix: string): Promise<void>
}

export function openPoolRevisions(needs: Pick<RunNeeds, 'state' | 'clock'>): PoolRevisions {
  const rows = openCollection(needs.state, 'run.workerpool.revision')
  const read = (value: string): Revision => readMessage(RevisionSchema, value)
  const put = (revision: Revision) => rows.put(revision.name, writeMessage(RevisionSchema, revision))
  const get = (name: string) => {
    const value = rows.get(name)
    return value === undefined ? undefined : read(value)
  }
  const list = (pool: string) =>
    rows
      .list(`${pool}/revisions/`)
      .map(({ value }) => read(value))
      .toSorted((a, b) => Number(b.generation - a.generation))
  return {
    get,
    list,
    forTemplate(pool, isForced) {
      const template = pool.template ?? create(WorkerPoolRevisionTemplateSchema)
      const newest = list(pool.name)[0]
      const named = template.revision === '' ? undefined : get(`${pool.name}/revisions/${template.revision}`)
      const same = named ?? (template.revision === '' && !isForced ? newest : undefined)
      if (same !== undefined && keyOf(poolTemplateOf(same)) === keyOf(template)) return { revision: same, saved: Promise.resolve() }
      if (named !== undefined)
        throw new CloudError(
          'ALREADY_EXISTS',
          `Revision named '${template.revision}' with different configuration already exists.`,
          'Choose another revision name.',
        )
      const revision = newRevision(pool, template, (newest?.generation ?? 0n) + 1n, needs.clock.nowMs())
      return { revision, saved: put(revision) }
    },
    async setReady(name, failure) {
      const revision = get(name)
      if (revision === undefined) return
      const nowMs = needs.clock.nowMs()
      const { CONDITION_FAILED, CONDITION_SUCCEEDED } = Condition_State
      revision.reconciling = false
      revision.updateTime = timestampFromMs(nowMs)
      revision.etag = newEtag()
      revision.conditions = [
        failure === undefined
          ? condition('Ready', CONDITION_SUCCEEDED, '', new Date(nowMs))
          : condition('Ready', CONDITION_FAILED, messageOf(failure), new Date(nowMs)),
      ]
      await put(revision)
    },
    async remove(name) {
      await rows.delete(name)
    },
    removeUnder: (prefix) => rows.deleteAll(prefix),
  }
}

/** The template that made `revision`. */
export function poolTemplateOf(revision: Revision): WorkerPoolRevisionTemplate {
  return create(WorkerPoolRevisionTemplateSchema, shared(clone(RevisionSchema, revision)))
}

/** Two templates with one key make one revision. A revision's own name does not count. */
function keyOf(template: WorkerPoolRevisionTemplate): string {
  return orderedText(toJson(WorkerPoolRevisionTemplateSchema, create(WorkerPoolRevisionTemplateSchema, shared(template))))
}

/** The fields that a revision has of its template. */
function shared(from: Revision | WorkerPoolRevisionTemplate) {
  const { labels, annotations, vpcAccess, serviceAccount, containers, volumes, encryptionKey } = from
  return { labels, annotations, serviceAccount, containers, volumes, encryptionKey, ...(vpcAccess !== undefined && { vpcAccess }) }
}

function newRevision(pool: WorkerPool, sent: WorkerPoolRevisionTemplate, generation: bigint, nowMs: number): Revision {
  const template = clone(WorkerPoolRevisionTemplateSchema, sent)
  const id = template.revision || revisionId(readPoolName(pool.name).pool, generation, threeLetters())
  return create(RevisionSchema, {
    name: `${pool.name}/revisions/${id}`,
    uid: crypto.randomUUID(),
    generation,
    observedGeneration: generation,
    ...shared(template),
    createTime: timestampFromMs(nowMs),
    updateTime: timestampFromMs(nowMs),
    launchStage: pool.launchStage,
    creator: pool.lastModifier,
    reconciling: true,
    etag: newEtag(),
    conditions: [condition('Ready', Condition_State.CONDITION_RECONCILING, 'Deploying Revision.', new Date(nowMs))],
  })
}
