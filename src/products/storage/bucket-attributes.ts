import * as z from 'zod'
import { stringMap } from '../../api/string-map.ts'
import type { StoredBucket } from '../../objects/stored.ts'
import { aclSchema, type AclEntry } from './acl.ts'
import { invalid } from './names.ts'

const settings = z.looseObject({})

/** What a user may set of a bucket. Settings within are kept as they came. */
const writable = z.object({
  location: z.string().transform((location) => location.toUpperCase()),
  storageClass: z.string(),
  labels: stringMap(),
  versioning: z.looseObject({ enabled: z.boolean() }),
  lifecycle: settings,
  cors: z.array(settings),
  website: settings,
  logging: settings,
  billing: settings,
  encryption: settings,
  retentionPolicy: z.looseObject({ retentionPeriod: z.coerce.number() }),
  iamConfiguration: z.looseObject({
    uniformBucketLevelAccess: z.looseObject({ enabled: z.boolean().optional() }).optional(),
    bucketPolicyOnly: z.looseObject({ enabled: z.boolean().optional() }).optional(),
    publicAccessPrevention: z.string().optional(),
  }),
  softDeletePolicy: settings,
  autoclass: settings,
  objectRetention: settings,
  hierarchicalNamespace: settings,
  customPlacementConfig: settings,
  ipFilter: settings,
  defaultEventBasedHold: z.boolean(),
  rpo: z.string(),
  acl: aclSchema,
  defaultObjectAcl: aclSchema,
})

const schema = writable.partial()
export type BucketFields = z.infer<typeof schema>

export interface Policy {
  readonly version: number
  readonly etag: string
  readonly bindings: readonly { readonly role: string; readonly members: readonly string[]; readonly condition?: unknown }[]
}

/** A bucket's attributes in the store. */
export interface BucketAttributes {
  readonly fields: BucketFields
  readonly acl: readonly AclEntry[]
  readonly defaultObjectAcl: readonly AclEntry[]
  /** Undefined until one was set. */
  readonly policy?: Policy | undefined
}

/** Reads what a client sent; keys of Google's that only it may set are passed over. @throws CloudError INVALID_ARGUMENT */
export function readBucketFields(input: unknown): BucketFields {
  const read = schema.safeParse(input)
  if (read.success) return Object.fromEntries(Object.entries(read.data).filter(([, value]) => value !== undefined))
  const [issue] = read.error.issues
  throw invalid(`Invalid value for ${issue?.path.join('.') ?? 'the bucket'}: ${issue?.message ?? ''}`, 'Correct the bucket resource.')
}

export function bucketAttributes(bucket: StoredBucket): BucketAttributes {
  return JSON.parse(bucket.attributes) as BucketAttributes
}

export function isUniform({ fields }: BucketAttributes): boolean {
  const { uniformBucketLevelAccess, bucketPolicyOnly } = fields.iamConfiguration ?? {}
  return (uniformBucketLevelAccess?.enabled ?? bucketPolicyOnly?.enabled) === true
}
