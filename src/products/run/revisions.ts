import { create, fromJsonString, toJsonString, clone } from '@bufbuild/protobuf'
import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import { CloudError } from '../../base/cloud-error.ts'
import { messageOf } from '../../base/cloud-error.ts'
import { Condition_RevisionReason, Condition_State } from '../../api/gen/google/cloud/run/v2/condition_pb.ts'
import { RevisionSchema, type Revision } from '../../api/gen/google/cloud/run/v2/revision_pb.ts'
import { RevisionTemplateSchema, type RevisionTemplate } from '../../api/gen/google/cloud/run/v2/revision_template_pb.ts'
import type { Service } from '../../api/gen/google/cloud/run/v2/service_pb.ts'
import { openCollection } from '../../state/collection.ts'
import type { RunNeeds } from './needs.ts'
import { condition, readServiceName, revisionId, templateKey } from './resources.ts'

/** The revisions that exist, as rows. What runs for them is `instances.ts`. */
export interface Revisions {
  get(name: string): Revision | undefined
  /** Of one service, newest first. */
  list(service: string): readonly Revision[]
  /**
   * The revision for the template of `service`: the newest one when nothing changed, else a new row.
   * @throws CloudError ALREADY_EXISTS when the template names a revision that another template has (trap 34)
   */
  forTemplate(service: Service): Promise<Revision>
  setReady(name: string, failure?: unknown): Promise<Revision>
  remove(name: string): Promise<void>
}

export function openRevisions(needs: RunNeeds): Revisions {
  const rows = openCollection(needs.state, 'run.revision')
  const read = (value: string | undefined) =>
    value === undefined ? undefined : fromJsonString(RevisionSchema, value, { ignoreUnknownFields: true })
  const put = async (revision: Revision) => {
    await rows.put(revision.name, toJsonString(RevisionSchema, revision))
    return revision
  }
  const get = (name: string) => read(rows.get(name))
  const list = (service: string) =>
    rows
      .list(`${service}/revisions/`)
      .flatMap((row) => read(row.value) ?? [])
      .toSorted((a, b) => Number(b.generation - a.generation))
  return {
    get,
    list,
    async forTemplate(service) {
      const template = service.template ?? create(RevisionTemplateSchema)
      const newest = list(service.name)[0]
      const named = template.revision === '' ? undefined : get(`${service.name}/revisions/${template.revision}`)
      const same = named ?? (template.revision === '' ? newest : undefined)
      if (same !== undefined && templateKey(templateOf(same)) === templateKey(template)) return same
      if (named !== undefined) {
        throw new CloudError(
          'ALREADY_EXISTS',
          `Revision named '${template.revision}' with different configuration already exists.`,
          'Choose another revision name.',
        )
      }
      return put(newRevision(needs, service, template, (newest?.generation ?? 0n) + 1n))
    },
    async setReady(name, failure) {
      const revision = get(name)
      if (revision === undefined) throw new CloudError('NOT_FOUND', `Revision ${name} does not exist.`, 'Deploy again.')
      const at = new Date(needs.clock.nowMs())
      revision.reconciling = false
      revision.updateTime = timestampFromDate(at)
      revision.conditions =
        failure === undefined
          ? [condition('Ready', Condition_State.CONDITION_SUCCEEDED, '', at)]
          : [
              condition(
                'Ready',
                Condition_State.CONDITION_FAILED,
                messageOf(failure),
                at,
                Condition_RevisionReason.HEALTH_CHECK_CONTAINER_ERROR,
              ),
            ]
      return put(revision)
    },
    async remove(name) {
      await rows.delete(name)
    },
  }
}

/** The template that made `revision`, for starting an instance of it. */
export function templateOf(revision: Revision): RevisionTemplate {
  const { name, labels, annotations, scaling, timeout, serviceAccount, containers, volumes, maxInstanceRequestConcurrency } = clone(
    RevisionSchema,
    revision,
  )
  const { executionEnvironment, sessionAffinity } = revision
  const template = create(RevisionTemplateSchema, {
    labels,
    annotations,
    serviceAccount,
    maxInstanceRequestConcurrency,
    executionEnvironment,
    sessionAffinity,
  })
  template.revision = name.split('/').at(-1) ?? ''
  template.scaling = scaling
  template.timeout = timeout
  template.containers = containers
  template.volumes = volumes
  return template
}

export function isReady(revision: Revision): boolean {
  return revision.conditions.some((found) => found.type === 'Ready' && found.state === Condition_State.CONDITION_SUCCEEDED)
}

function newRevision(needs: RunNeeds, service: Service, template: RevisionTemplate, generation: bigint): Revision {
  const id = template.revision || revisionId(readServiceName(service.name).service, generation, threeLetters())
  const { labels, annotations, scaling, timeout, serviceAccount, containers, volumes, maxInstanceRequestConcurrency } = clone(
    RevisionTemplateSchema,
    template,
  )
  const { executionEnvironment, sessionAffinity } = template
  const at = new Date(needs.clock.nowMs())
  const revision = create(RevisionSchema, {
    name: `${service.name}/revisions/${id}`,
    uid: crypto.randomUUID(),
    generation,
    observedGeneration: generation,
    labels,
    annotations,
    createTime: timestampFromDate(at),
    updateTime: timestampFromDate(at),
    service: service.name.split('/').at(-1) ?? '',
    serviceAccount,
    maxInstanceRequestConcurrency,
    executionEnvironment,
    sessionAffinity,
    reconciling: true,
    etag: `"${crypto.randomUUID()}"`,
    conditions: [condition('Ready', Condition_State.CONDITION_RECONCILING, 'Deploying Revision.', at)],
  })
  revision.scaling = scaling
  revision.timeout = timeout
  revision.containers = containers
  revision.volumes = volumes
  return revision
}

/** Three letters without vowels, so that no word comes out. */
function threeLetters(): string {
  const letters = 'bcdfghjklmnpqrstvwxz'
  return Array.from(crypto.getRandomValues(new Uint8Array(3)), (byte) => letters[byte % letters.length]).join('')
}
