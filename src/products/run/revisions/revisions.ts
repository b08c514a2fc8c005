import { clone, create, type DescMessage, type MessageInitShape, type MessageShape } from '@bufbuild/protobuf'
import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import type { LaunchStage } from '../../../api/gen/google/api/launch_stage_pb.ts'
import { Condition_State } from '../../../api/gen/google/cloud/run/v2/condition_pb.ts'
import { RevisionSchema, type Revision } from '../../../api/gen/google/cloud/run/v2/revision_pb.ts'
import { CloudError } from '../../../base/cloud-error.ts'
import { lastPart } from '../../../base/last-part.ts'
import type { Belongings } from '../../../state/belongings.ts'
import { openCollection } from '../../../state/collection.ts'
import type { ResourceKind } from '../../../state/resource-kind.ts'
import { openResources } from '../../../state/resources.ts'
import { condition } from '../conditions.ts'
import { newEtag } from '../etags.ts'
import type { RunNeeds } from '../needs.ts'
import { templateKey, type Template } from './template-key.ts'

/** The revisions of services, or of worker pools, as rows. What runs for them is elsewhere. */
export interface Revisions<T> extends Belongings {
  get(name: string): Revision | undefined
  /** Of a service or a worker pool, newest first. */
  list(owner: string): readonly Revision[]
  /** @throws CloudError ALREADY_EXISTS when the template names a revision that another template has, or had (run trap 34) */
  checkName(owner: Owner<T>): void
  /**
   * The revision for the template of `owner`: the newest one when nothing of it changed, else a new row, on disk when `saved` resolves.
   * @param isForced a new one also when nothing changed
   * @throws as `checkName`
   */
  forTemplate(owner: Owner<T>, isForced?: boolean): { readonly revision: Revision; readonly saved: Promise<unknown> }
  /** Changes a revision that is there still, with the times and the etag of a change. */
  change(name: string, work: (revision: Revision, at: Date) => void): Promise<void>
  /** Removes one, whose name stays taken. With its owner all go, and their names are free. */
  remove(name: string): Promise<void>
}

/** A service or a worker pool. */
interface Owner<T> {
  readonly name: string
  readonly template?: T | undefined
  readonly launchStage: LaunchStage
  readonly lastModifier: string
}

export interface RevisionKind<D extends DescMessage> {
  readonly rows: ResourceKind<Revision>
  readonly template: D
  /** What a new revision has beside the fields that it shares with its template. */
  readonly own: (template: MessageShape<D>, owner: Owner<MessageShape<D>>) => Partial<Pick<Revision, 'service' | 'annotations'>>
}

export function openRevisions<D extends DescMessage>(
  needs: Pick<RunNeeds, 'state' | 'clock'>,
  kind: RevisionKind<D>,
): Revisions<MessageShape<D> & Template> {
  type T = MessageShape<D> & Template
  const rows = openResources(needs.state, kind.rows)
  const keys = openCollection(needs.state, `${kind.rows.kind}.template`) // outlives a revision: its name is never given again
  const now = () => new Date(needs.clock.nowMs())
  const get = (name: string) => rows.find(name)
  const list = (owner: string) => rows.list(`${owner}/revisions`).toSorted((a, b) => Number(b.generation - a.generation))
  /** Rows of worker pools that an earlier version wrote have no key beside them. */
  const keyOf = (name: string, revision: Revision | undefined) =>
    keys.get(name) ?? (revision && templateKey<D>(kind.template, templateOf(kind.template, revision) as T))
  const sameNamed = (owner: Owner<T>, template: T): Revision | undefined => {
    const name = `${owner.name}/revisions/${template.revision}`
    const revision = get(name)
    const key = keyOf(name, revision)
    if (key === undefined) return undefined
    if (revision !== undefined && key === templateKey<D>(kind.template, template)) return revision
    throw new CloudError(
      'ALREADY_EXISTS',
      `Revision named '${template.revision}' with different configuration already exists.`,
      'Choose another revision name.',
    )
  }
  const newRevision = (owner: Owner<T>, template: T, generation: bigint): Revision => {
    const at = now()
    return create(RevisionSchema, {
      ...sharedFields(kind.template, clone<D>(kind.template, template)),
      name: `${owner.name}/revisions/${template.revision || revisionId(lastPart(owner.name), generation, threeLetters())}`,
      uid: crypto.randomUUID(),
      generation,
      observedGeneration: generation,
      createTime: timestampFromDate(at),
      updateTime: timestampFromDate(at),
      launchStage: owner.launchStage,
      creator: owner.lastModifier,
      reconciling: true,
      etag: newEtag(),
      conditions: [condition('Ready', Condition_State.CONDITION_RECONCILING, 'Deploying Revision.', at)],
      ...kind.own(template, owner),
    })
  }
  return {
    get,
    list,
    checkName(owner) {
      if (owner.template !== undefined && owner.template.revision !== '') sameNamed(owner, owner.template)
    },
    forTemplate(owner, isForced = false) {
      const template = owner.template ?? (create(kind.template) as T)
      const newest = list(owner.name)[0]
      const key = templateKey<D>(kind.template, template)
      const isUnchanged = newest !== undefined && template.revision === '' && !isForced && keyOf(newest.name, newest) === key
      const same = isUnchanged ? newest : template.revision === '' ? undefined : sameNamed(owner, template)
      if (same !== undefined) return { revision: same, saved: Promise.resolve() }
      const revision = newRevision(owner, template, (newest?.generation ?? 0n) + 1n)
      return { revision, saved: Promise.all([rows.put(revision), keys.put(revision.name, key)]) }
    },
    async change(name, work) {
      const revision = get(name)
      if (revision === undefined) return
      const at = now()
      work(revision, at)
      revision.updateTime = timestampFromDate(at)
      revision.etag = newEtag()
      await rows.put(revision)
    },
    async remove(name) {
      await rows.delete(name)
    },
    removeWith(owner) {
      rows.removeWith(owner)
      keys.removeWith(owner)
    },
  }
}

type RevisionFields = Exclude<MessageInitShape<typeof RevisionSchema>, Revision>

/** The template that made `revision`, as far as a revision keeps it. Its name is empty. */
export function templateOf<D extends DescMessage>(template: D, revision: Revision): MessageShape<D> {
  return create(template, sharedFields(template, clone(RevisionSchema, revision)) as MessageInitShape<D>)
}

/** The fields that revisions have of this template, in `from`. */
function sharedFields(template: DescMessage, from: object): RevisionFields {
  const kept: ReadonlySet<string> = new Set(RevisionSchema.fields.map(({ localName }) => localName))
  const shared = template.fields.filter(({ localName }) => kept.has(localName))
  const values = from as Readonly<Record<string, unknown>>
  return Object.fromEntries(shared.flatMap(({ localName: key }) => (values[key] === undefined ? [] : [[key, values[key]]])))
}

/** `SERVICE-00001-abc`: five digits of generation and three letters, as Cloud Run makes them. */
export function revisionId(owner: string, generation: bigint, letters: string): string {
  return `${owner}-${String(generation).padStart(5, '0')}-${letters}`
}

/** Three letters without vowels, so that no word comes out. */
function threeLetters(): string {
  const letters = 'bcdfghjklmnpqrstvwxz'
  return Array.from(crypto.getRandomValues(new Uint8Array(3)), (byte) => letters[byte % letters.length]).join('')
}
