import type { Caller } from '../../api/caller.ts'
import type { BucketPage } from '../../objects/bucket-rows.ts'
import type { ObjectStore } from '../../objects/object-store.ts'
import type { Preconditions } from '../../objects/preconditions.ts'
import type { StoredBucket } from '../../objects/stored.ts'
import { CloudError } from '../../base/cloud-error.ts'
import * as z from 'zod'
import { predefinedAcl, type AclEntry } from './acl.ts'
import {
  bucketAttributes,
  isUniform,
  readBucketFields,
  type BucketAttributes,
  type BucketFields,
  type Policy,
} from './bucket-attributes.ts'
import { isRecord, mergePatch } from '../../api/json-values.ts'
import { checkBucketName, invalid } from './names.ts'

/** Words of a request that shape lists: `publicRead`. */
export interface Predefined {
  readonly acl: string | undefined
  readonly defaultObjectAcl: string | undefined
}

/** Buckets, their lists and policies. */
export class Buckets {
  readonly #store: ObjectStore
  readonly #project: (idOrNumber: string) => { readonly id: string; readonly number: string }

  constructor(store: ObjectStore, project: (idOrNumber: string) => { readonly id: string; readonly number: string }) {
    this.#store = store
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
    const acl = fields.acl ?? predefinedAcl(predefined.acl ?? 'projectPrivate', number, caller)
    const defaultObjectAcl = fields.defaultObjectAcl ?? predefinedAcl(predefined.defaultObjectAcl ?? 'projectPrivate', number, undefined)
    return this.#store.createBucket({ name, project: id, ...toStored({ fields, acl, defaultObjectAcl }) })
  }

  list(project: string, prefix: string, after: string, limit: number): BucketPage {
    return this.#store.listBuckets(this.#project(project).id, prefix, after, limit)
  }

  async patch(name: string, patch: unknown, predefined: Predefined, preconditions: Preconditions): Promise<StoredBucket> {
    return this.#change(name, preconditions, predefined, (current) => readBucketFields(mergePatch(current, patch)))
  }

  async update(name: string, resource: unknown, predefined: Predefined, preconditions: Preconditions): Promise<StoredBucket> {
    return this.#change(name, preconditions, predefined, ({ location }) => ({
      ...readBucketFields(resource),
      ...(location !== undefined && { location }),
    }))
  }

  policy(bucket: StoredBucket): Policy {
    const { policy } = bucketAttributes(bucket)
    if (policy !== undefined) return policy
    const project = bucket.project
    return {
      version: 1,
      etag: policyEtag(1),
      bindings: [
        { role: 'roles/storage.legacyBucketOwner', members: [`projectEditor:${project}`, `projectOwner:${project}`] },
        { role: 'roles/storage.legacyBucketReader', members: [`projectViewer:${project}`] },
      ],
    }
  }

  async setPolicy(name: string, input: unknown): Promise<Policy> {
    const read = policySchema.safeParse(input)
    if (!read.success) throw invalid('The policy is not well formed.', 'Send {"bindings": [{"role": ..., "members": [...]}]}.')
    const { bindings, version, etag } = read.data
    const updated = await this.#store.updateBucket(name, {}, (bucket) => {
      if (etag !== undefined && etag !== this.policy(bucket).etag) throw policyChanged()
      return toStored({ ...bucketAttributes(bucket), policy: { version, bindings, etag: policyEtag(bucket.metageneration + 1) } })
    })
    return this.policy(updated)
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
      return toStored({ ...attributes, [which]: change(attributes[which]) })
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
      const given = (which: 'acl' | 'defaultObjectAcl') =>
        predefined[which] === undefined ? (fields[which] ?? current[which]) : predefinedAcl(predefined[which], number, undefined)
      return toStored({ ...current, fields, acl: given('acl'), defaultObjectAcl: given('defaultObjectAcl') })
    })
  }
}

/** @throws CloudError INVALID_ARGUMENT where uniform access has switched lists off */
export function checkListsCount(attributes: BucketAttributes, verb: 'get' | 'update' | 'insert', what: 'bucket' | 'object'): void {
  if (!isUniform(attributes)) return
  throw invalid(
    `Cannot ${verb} legacy ACL for an ${what} when uniform bucket-level access is enabled. Read more at https://cloud.google.com/storage/docs/uniform-bucket-level-access`,
    "Grant access by the bucket's IAM policy.",
  )
}

const policySchema = z.object({
  version: z.number().default(1),
  etag: z.string().optional(),
  bindings: z
    .array(z.object({ role: z.string(), members: z.array(z.string()).default([]), condition: z.unknown().optional() }))
    .default([]),
})

function toStored(attributes: BucketAttributes): { readonly versioned: boolean; readonly attributes: string } {
  const { acl: _acl, defaultObjectAcl: _default, ...fields } = attributes.fields
  return { versioned: fields.versioning?.enabled === true, attributes: JSON.stringify({ ...attributes, fields }) }
}

/** Base64, which gcloud and gsutil decode: field 1 of a message, the metageneration as a varint. The first is `CAE=`, as Google's is. */
function policyEtag(metageneration: number): string {
  const bytes = [0x08]
  for (let rest = metageneration; ; rest = Math.floor(rest / 128)) {
    bytes.push((rest % 128) | (rest < 128 ? 0 : 0x80))
    if (rest < 128) return Buffer.from(bytes).toString('base64')
  }
}

function policyChanged(): CloudError {
  return new CloudError(
    'FAILED_PRECONDITION',
    'At least one of the pre-conditions you specified did not hold.',
    'Read the policy again and retry.',
    { fault: 'CONDITION_NOT_MET' },
  )
}
