import type { StoredBucket } from '../../objects/stored.ts'
import type { AclEntry } from './acl.ts'
import type { BucketMarks } from './bucket-change.ts'
import type { BucketFields } from './bucket-fields.ts'
import type { BucketPolicy } from './bucket-policy.ts'
import { invalid } from './names.ts'

/** They are read with every request. */
const limitChars = 512 << 10

/** A bucket's attributes in the store. */
export interface BucketAttributes {
  readonly fields: BucketFields
  /** Absent in buckets of daemons that set none. */
  readonly marks?: BucketMarks
  readonly acl: readonly AclEntry[]
  readonly defaultObjectAcl: readonly AclEntry[]
  /** Undefined until one was set. */
  readonly policy?: BucketPolicy | undefined
}

export function bucketAttributes(bucket: StoredBucket): BucketAttributes {
  return JSON.parse(bucket.attributes) as BucketAttributes
}

/** Text for the store. @throws CloudError INVALID_ARGUMENT */
export function toStored(attributes: BucketAttributes): { readonly versioned: boolean; readonly attributes: string } {
  const { acl: _acl, defaultObjectAcl: _default, ...fields } = attributes.fields
  const text = JSON.stringify({ ...attributes, fields })
  if (text.length > limitChars) throw invalid('The metadata of the bucket are too large.', 'Use fewer rules, members or entries.')
  return { versioned: fields.versioning?.enabled === true, attributes: text }
}
