import { clone, create } from '@bufbuild/protobuf'
import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import { Condition_State } from '../../../api/gen/google/cloud/run/v2/condition_pb.ts'
import { RevisionSchema, type Revision } from '../../../api/gen/google/cloud/run/v2/revision_pb.ts'
import { RevisionTemplateSchema, type RevisionTemplate } from '../../../api/gen/google/cloud/run/v2/revision_template_pb.ts'
import type { Service } from '../../../api/gen/google/cloud/run/v2/service_pb.ts'
import { readMessage, writeMessage } from '../../../api/message-row.ts'
import { CloudError } from '../../../base/cloud-error.ts'
import { openCollection } from '../../../state/collection.ts'
import { activeCondition, condition, failedConditions, isActive, readyConditions } from '../conditions.ts'
import type { RunNeeds } from '../needs.ts'
import { readServiceName, revisionId, templateKey } from '../resources.ts'

/** The revisions that exist, as rows. What runs for them is `instances.ts`. */
export interface Revisions {
  get(name: string): Revision | undefined
  /** Of `projects/P/locations/R/services/S`, newest first. */
  list(service: string): readonly Revision[]
  /** @throws CloudError ALREADY_EXISTS when the template names a revision that another template has, or had (run trap 34) */
  checkName(service: Service): void
  /**
   * The revision for the template of `service`: the newest one when nothing of it changed, else a new row, on disk when `saved` resolves.
   * @throws as `checkName`
   */
  forTemplate(service: Service): { readonly revision: Revision; readonly saved: Promise<unknown> }
  /** It passed its health check, or `failure` tells why it did not. */
  setReady(name: string, failure?: unknown): Promise<void>
  /** Whether it takes requests. */
  setActive(name: string, isActive: boolean): Promise<void>
  remove(name: string): Promise<void>
  /** Takes away every revision of a service, and frees their names. Answers those that were. */
  removeAll(service: string): Promise<readonly Revision[]>
  /** The same for all services under `prefix`; none is read. */
  removeUnder(prefix: string): Promise<void>
}

export function openRevisions(needs: Pick<RunNeeds, 'state' | 'clock'>): Revisions {
  const rows = openCollection(needs.state, 'run.revision')
  const keys = openCollection(needs.state, 'run.revision.template') // outlives a revision: its name is never given again
  const read = (value: string | undefined) => (value === undefined ? undefined : readMessage(RevisionSchema, value))
  const put = (revision: Revision) => rows.put(revision.name, writeMessage(RevisionSchema, revision))
  const now = () => new Date(needs.clock.nowMs())
  const get = (name: string) => read(rows.get(name))
  const list = (service: string) =>
    rows
      .list(`${service}/revisions/`)
      .flatMap((row) => read(row.value) ?? [])
      .toSorted((a, b) => Number(b.generation - a.generation))
  const change = async (name: string, work: (revision: Revision, at: Date) => void) => {
    const revision = get(name)
    if (revision === undefined) return
    const at = now()
    work(revision, at)
    revision.updateTime = timestampFromDate(at)
    revision.etag = newEtag()
    await put(revision)
  }
  const sameNamed = (service: Service, template: RevisionTemplate): Revision | undefined => {
    const name = `${service.name}/revisions/${template.revision}`
    const key = keys.get(name)
    if (key === undefined) return undefined
    const revision = get(name)
    if (revision !== undefined && key === templateKey(template)) return revision
    throw new CloudError(
      'ALREADY_EXISTS',
      `Revision named '${template.revision}' with different configuration already exists.`,
      'Choose another revision name.',
    )
  }
  return {
    get,
    list,
    checkName(service) {
      if (service.template !== undefined && service.template.revision !== '') sameNamed(service, service.template)
    },
    forTemplate(service) {
      const template = service.template ?? create(RevisionTemplateSchema)
      const newest = list(service.name)[0]
      const key = templateKey(template)
      if (template.revision !== '') {
        const same = sameNamed(service, template)
        if (same !== undefined) return { revision: same, saved: Promise.resolve() }
      } else if (newest !== undefined && keys.get(newest.name) === key) return { revision: newest, saved: Promise.resolve() }
      const revision = newRevision(service, template, (newest?.generation ?? 0n) + 1n, now())
      return { revision, saved: Promise.all([put(revision), keys.put(revision.name, key)]) }
    },
    setReady: (name, failure) =>
      change(name, (revision, at) => {
        revision.reconciling = false
        const isSkipped = revision.annotations[healthCheckDisabled] === 'true'
        revision.conditions = failure === undefined ? readyConditions(at, isSkipped) : failedConditions(failure, at)
      }),
    async setActive(name, wanted) {
      const revision = get(name)
      if (revision === undefined || isActive(revision) === wanted) return
      await change(name, (changed, at) => {
        changed.conditions = [...changed.conditions.filter(({ type }) => type !== 'Active'), activeCondition(wanted, at)]
      })
    },
    async remove(name) {
      await rows.delete(name)
    },
    async removeAll(service) {
      const all = list(service)
      const names = keys.list(`${service}/revisions/`).map(({ name }) => name)
      await Promise.all([...all.map(({ name }) => rows.delete(name)), ...names.map((name) => keys.delete(name))])
      return all
    },
    removeUnder: async (prefix) => void (await Promise.all([rows.deleteAll(prefix), keys.deleteAll(prefix)])),
  }
}

/** Where a revision keeps what its message has no field for. */
export const healthCheckDisabled = 'run.googleapis.com/health-check-disabled'

/** The template that made `revision`, for starting an instance of it. */
export function templateOf(revision: Revision): RevisionTemplate {
  const template = create(RevisionTemplateSchema, { ...shared(clone(RevisionSchema, revision)) })
  template.revision = revision.name.split('/').at(-1) ?? ''
  template.healthCheckDisabled = revision.annotations[healthCheckDisabled] === 'true'
  return template
}

function newRevision(service: Service, template: RevisionTemplate, generation: bigint, at: Date): Revision {
  const serviceId = readServiceName(service.name).service
  const copy = clone(RevisionTemplateSchema, template)
  const revision = create(RevisionSchema, {
    ...shared(copy),
    name: `${service.name}/revisions/${template.revision || revisionId(serviceId, generation, threeLetters())}`,
    uid: crypto.randomUUID(),
    generation,
    observedGeneration: generation,
    createTime: timestampFromDate(at),
    updateTime: timestampFromDate(at),
    service: serviceId,
    launchStage: service.launchStage,
    creator: service.lastModifier,
    reconciling: true,
    etag: newEtag(),
    conditions: [condition('Ready', Condition_State.CONDITION_RECONCILING, 'Deploying Revision.', at)],
  })
  if (template.healthCheckDisabled) revision.annotations[healthCheckDisabled] = 'true'
  return revision
}

/** The fields that a revision has of its template. */
function shared(from: Revision | RevisionTemplate) {
  const { labels, annotations, vpcAccess, timeout, scaling, serviceAccount, containers, volumes, executionEnvironment } = from
  const { encryptionKey, encryptionKeyRevocationAction, encryptionKeyShutdownDuration } = from
  const { maxInstanceRequestConcurrency, sessionAffinity } = from
  return {
    labels,
    annotations,
    serviceAccount,
    containers,
    volumes,
    executionEnvironment,
    encryptionKey,
    encryptionKeyRevocationAction,
    maxInstanceRequestConcurrency,
    sessionAffinity,
    ...(vpcAccess !== undefined && { vpcAccess }),
    ...(timeout !== undefined && { timeout }),
    ...(scaling !== undefined && { scaling }),
    ...(encryptionKeyShutdownDuration !== undefined && { encryptionKeyShutdownDuration }),
  }
}

/** Quoted base64, as Google's are. */
export function newEtag(): string {
  return `"${Buffer.from(crypto.getRandomValues(new Uint8Array(9))).toString('base64')}"`
}

/** Three letters without vowels, so that no word comes out. */
export function threeLetters(): string {
  const letters = 'bcdfghjklmnpqrstvwxz'
  return Array.from(crypto.getRandomValues(new Uint8Array(3)), (byte) => letters[byte % letters.length]).join('')
}
