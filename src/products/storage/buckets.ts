import { isRecord } from '../../base/is-record.ts'
import type { Caller } from '../../api/caller.ts'
import type { Clock } from '../../base/clock.ts'
import type { BucketPage } from '../../objects/bucket-rows.ts'
import type { ObjectStore } from '../../objects/object-store.ts'
import type { Preconditions } from '../../objects/preconditions.ts'
import type { StoredBucket } from '../../objects/stored.ts'
import { predefinedAcl, type AclEntry } from './acl.ts'
import { bucketAttributes, toStored, type BucketAttributes } from './bucket-attributes.ts'
import { isUniform, nextMarks } from './bucket-change.ts'
import { readBucketFields, type BucketFields } from './bucket-fields.ts'
import { firstPolicy, nextPolicy, type BucketPolicy } from './bucket-policy.ts'
import { mergePatch, picked } from '../../api/json-values.ts'
import type { ProjectIds } from '../../api/project-ids.ts'
import { checkBucketName, invalid } from './names.ts'
import { checkListNotPublic, checkNotPublic } from './public-access.ts'

/** Words of a request that shape lists: `publicRead`. */
export interface Predefined {
  readonly acl: string | undefined
  readonly defaultObjectAcl: string | undefined
}

/** Buckets, their lists and policies. */
export class Buckets {
  readonly #store: ObjectStore
  readonly #clock: Clock
  readonly #project: (idOrNumber: string) => ProjectIds

  constructor(store: ObjectStore, clock: Clock, project: (idOrNumber: string) => ProjectIds) {
    this.#store = store
    this.#clock = clock
    this.#project = project
  }

  projectNumber(bucket: StoredBucket): string {
    return this.#project(bucket.project).number
  }

  async insert(project: string, resource: unknown, predefined: Predefined, caller: Caller | undefined): Promise<StoredBucket> {
    const { id, number } = this.#project(project)
    const name = isRecord(resource) && typeof resource['name'] === 'string' ? resource['name'] : ''
    checkBucketName(name)
    const fields = readBucketFields(resource)
    const marks = nextMarks(undefined, fields, {}, this.#clock.nowMs())
    const given = { acl: predefined.acl ?? fields.acl, defaultObjectAcl: predefined.defaultObjectAcl ?? fields.defaultObjectAcl }
    if (given.acl !== undefined || given.defaultObjectAcl !== undefined) checkListsCount({ fields }, 'insert', 'bucket')
    const acl = fields.acl ?? predefinedAcl('bucket', predefined.acl ?? 'projectPrivate', number, caller)
    const defaultObjectAcl =
      fields.defaultObjectAcl ?? predefinedAcl('object', predefined.defaultObjectAcl ?? 'projectPrivate', number, undefined)
    for (const list of [acl, defaultObjectAcl]) checkListNotPublic({ fields }, list)
    return this.#store.createBucket({ name, project: id, ...toStored({ fields, marks, acl, defaultObjectAcl }) })
  }

  list(project: string, prefix: string, after: string, limit: number): BucketPage {
    return this.#store.listBuckets(this.#project(project).id, prefix, after, limit)
  }

  /** Only what the patch names is read again: what an older daemon took stays. */
  async patch(name: string, patch: unknown, predefined: Predefined, preconditions: Preconditions): Promise<StoredBucket> {
    if (!isRecord(patch)) throw invalid('The patch is no object.', 'Send the settings that change.')
    checkSameName(name, patch)
    const keys = Object.keys(patch)
    return this.#change(name, preconditions, predefined, (current) => {
      const rest = picked(current, (key) => !keys.includes(key)) as BucketFields
      return { ...rest, ...readBucketFields(picked(mergePatch(current, patch), (key) => keys.includes(key))) }
    })
  }

  async update(name: string, resource: unknown, predefined: Predefined, preconditions: Preconditions): Promise<StoredBucket> {
    checkSameName(name, resource)
    return this.#change(name, preconditions, predefined, ({ location, customPlacementConfig, objectRetention }) => ({
      ...(location !== undefined && { location }),
      ...(customPlacementConfig !== undefined && { customPlacementConfig }),
      ...(objectRetention !== undefined && { objectRetention }),
      ...readBucketFields(resource),
    }))
  }

  /** From now on the retention policy can be neither removed nor shortened. @throws CloudError INVALID_ARGUMENT when there is none */
  async lockRetention(name: string, preconditions: Preconditions): Promise<StoredBucket> {
    return this.#store.updateBucket(name, preconditions, (bucket) => {
      const attributes = bucketAttributes(bucket)
      if (attributes.fields.retentionPolicy === undefined)
        throw invalid(`The bucket ${name} has no retention policy to lock.`, 'Set one first.')
      return toStored({ ...attributes, marks: { ...attributes.marks, isRetentionLocked: true } })
    })
  }

  policy(bucket: StoredBucket): BucketPolicy {
    return bucketAttributes(bucket).policy ?? firstPolicy(bucket.project)
  }

  async setPolicy(name: string, input: unknown): Promise<BucketPolicy> {
    const updated = await this.#store.updateBucket(name, {}, (bucket) => {
      const attributes = bucketAttributes(bucket)
      const policy = nextPolicy(this.policy(bucket), input, bucket.metageneration + 1)
      checkNotPublic(
        attributes,
        policy.bindings.flatMap(({ members }) => members),
      )
      return toStored({ ...attributes, policy })
    })
    return this.policy(updated)
  }

  /** Writes `next` for `member` in the policy of every bucket that has it: of an account that is gone. */
  async replaceMember(member: string, next: string): Promise<void> {
    const has = (bucket: StoredBucket) => this.policy(bucket).bindings.some(({ members }) => members.includes(member))
    const buckets = this.#store.projects().flatMap((project) => this.#all(project))
    for (const { name } of buckets.filter(has)) {
      await this.#store.updateBucket(name, {}, (bucket) => {
        const policy = this.policy(bucket)
        const bindings = policy.bindings.map((binding) => ({
          ...binding,
          members: binding.members.map((held) => (held === member ? next : held)),
        }))
        return toStored({ ...bucketAttributes(bucket), policy: { ...policy, bindings } })
      })
    }
  }

  #all(project: string): readonly StoredBucket[] {
    const found: StoredBucket[] = []
    for (;;) {
      const { items, hasMore } = this.#store.listBuckets(project, '', found.at(-1)?.name ?? '', 1000)
      found.push(...items)
      if (!hasMore) return found
    }
  }

  /** Replaces the bucket's list or that of its coming objects. @throws CloudError INVALID_ARGUMENT under uniform access */
  async changeAcl(
    name: string,
    which: 'acl' | 'defaultObjectAcl',
    change: (acl: readonly AclEntry[]) => readonly AclEntry[],
  ): Promise<StoredBucket> {
    return this.#store.updateBucket(name, {}, (bucket) => {
      const attributes = bucketAttributes(bucket)
      checkListsCount(attributes, 'update', 'bucket')
      const list = change(attributes[which])
      checkListNotPublic(attributes, list, attributes[which])
      return toStored({ ...attributes, [which]: list })
    })
  }

  async #change(
    name: string,
    preconditions: Preconditions,
    predefined: Predefined,
    change: (fields: BucketFields) => BucketFields,
  ): Promise<StoredBucket> {
    return this.#store.updateBucket(name, preconditions, (bucket) => {
      const current = bucketAttributes(bucket)
      const number = this.projectNumber(bucket)
      const fields = change(current.fields)
      const marks = nextMarks(current.fields, fields, current.marks ?? {}, this.#clock.nowMs())
      const given = (which: 'acl' | 'defaultObjectAcl') => {
        const word = predefined[which]
        const list = word === undefined ? fields[which] : predefinedAcl(which === 'acl' ? 'bucket' : 'object', word, number, undefined)
        if (list === undefined) return current[which]
        checkListsCount({ fields }, 'update', 'bucket')
        checkListNotPublic({ fields }, list, current[which])
        return list
      }
      return toStored({ ...current, fields, marks, acl: given('acl'), defaultObjectAcl: given('defaultObjectAcl') })
    })
  }
}

/** @throws CloudError INVALID_ARGUMENT where uniform access has switched lists off */
export function checkListsCount(
  { fields }: Pick<BucketAttributes, 'fields'>,
  verb: 'get' | 'update' | 'insert',
  what: 'bucket' | 'object',
): void {
  if (!isUniform(fields)) return
  throw invalid(
    `Cannot ${verb} legacy ACL for an ${what} when uniform bucket-level access is enabled. Read more at https://cloud.google.com/storage/docs/uniform-bucket-level-access`,
    "Grant access by the bucket's IAM policy.",
  )
}

function checkSameName(name: string, resource: unknown): void {
  if (isRecord(resource) && resource['name'] !== undefined && resource['name'] !== name)
    throw invalid("A bucket's name cannot be changed.", 'Make another bucket.')
}
