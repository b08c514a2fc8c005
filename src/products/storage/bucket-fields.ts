import { isRecord } from '../../base/is-record.ts'
import * as z from 'zod'
import { aclSchema } from './acl.ts'
import { withoutNulls } from '../../api/json-values.ts'
import { lifecycle } from './lifecycle.ts'
import { invalid, unimplemented } from './names.ts'
import { storageClass } from './storage-classes.ts'
import { labels } from './user-maps.ts'
import { wholeNumber } from './whole-number.ts'

/** What Google calls 100 years. Source: cloud.google.com/storage/docs/bucket-lock#retention-periods. */
const centurySeconds = 3_155_760_000
const daySeconds = 86_400
const upper = z.string().toUpperCase()
const seconds = wholeNumber.pipe(z.int().min(0))
const enabled = z.object({ enabled: z.boolean().optional() })
const restriction = z.object({ restrictionMode: z.enum(['NotRestricted', 'FullyRestricted']).optional() }).optional()

/** What a user may set of a bucket, as Google takes it. Sources: cloud.google.com/storage/docs/json_api/v1/buckets#resource and the pages of each setting. */
const writable = z.object({
  location: upper,
  storageClass,
  labels,
  versioning: enabled,
  lifecycle,
  cors: z
    .array(
      z.object({
        origin: z.array(z.string().max(2048)).optional(),
        method: z.array(z.string().regex(/^(\*|[A-Za-z]{1,20})$/)).optional(),
        responseHeader: z.array(z.string().regex(/^[\w!#$%&'*+.^`|~-]+$/)).optional(),
        maxAgeSeconds: seconds.pipe(z.int().max(2_147_483_647)).optional(),
      }),
    )
    .max(100),
  website: z.object({ mainPageSuffix: z.string().max(1024).optional(), notFoundPage: z.string().max(1024).optional() }),
  logging: z.object({ logBucket: z.string().min(3).max(222).optional(), logObjectPrefix: z.string().max(900).optional() }),
  billing: z.object({ requesterPays: z.boolean().optional() }),
  encryption: z.object({
    defaultKmsKeyName: z
      .string()
      .regex(/^projects\/[^/]+\/locations\/[^/]+\/keyRings\/[^/]+\/cryptoKeys\/[^/]+$/)
      .optional(),
    customerManagedEncryptionEnforcementConfig: restriction,
    customerSuppliedEncryptionEnforcementConfig: restriction,
    googleManagedEncryptionEnforcementConfig: restriction,
  }),
  retentionPolicy: z.object({ retentionPeriod: seconds.pipe(z.int().min(1).max(centurySeconds)) }),
  iamConfiguration: z.object({
    uniformBucketLevelAccess: enabled.optional(),
    bucketPolicyOnly: enabled.optional(),
    publicAccessPrevention: z.enum(['inherited', 'enforced', 'unspecified']).optional(),
  }),
  softDeletePolicy: z.object({
    retentionDurationSeconds: seconds
      .refine((value) => value === 0 || (value >= 7 * daySeconds && value <= 90 * daySeconds), 'Send 0, or 7 to 90 days.')
      .optional(),
  }),
  autoclass: z.object({ enabled: z.boolean(), terminalStorageClass: upper.pipe(z.enum(['NEARLINE', 'ARCHIVE'])).optional() }),
  objectRetention: z.object({ mode: z.literal('Enabled') }),
  hierarchicalNamespace: enabled,
  customPlacementConfig: z.object({ dataLocations: z.array(upper).max(10) }),
  ipFilter: z.looseObject({ mode: z.string() }),
  defaultEventBasedHold: z.boolean(),
  rpo: z.enum(['DEFAULT', 'ASYNC_TURBO']),
  acl: aclSchema,
  defaultObjectAcl: aclSchema,
})

const schema = writable.partial()
export type BucketFields = z.infer<typeof schema>

/** Reads what a client sent; keys that Google alone sets are passed over. @throws CloudError INVALID_ARGUMENT, UNIMPLEMENTED */
export function readBucketFields(input: unknown): BucketFields {
  const read = schema.safeParse(withoutNulls(input))
  if (!read.success) {
    const [issue] = read.error.issues
    throw invalid(`Invalid value for ${issue?.path.join('.') || 'the bucket'}: ${issue?.message ?? ''}`, 'Correct the bucket resource.')
  }
  if (read.data.hierarchicalNamespace?.enabled === true) throw unimplemented('hierarchical namespaces (hierarchicalNamespace)')
  if (read.data.ipFilter !== undefined && read.data.ipFilter.mode !== 'Disabled') throw unimplemented('IP filters (ipFilter)')
  return Object.fromEntries(Object.entries(read.data).filter(([key, value]) => !isEmpty(key, value)))
}

/** A setting that is sent empty is taken away. */
function isEmpty(key: string, value: unknown): boolean {
  if (value === undefined) return true
  if (key === 'acl' || key === 'defaultObjectAcl') return false
  if (key === 'lifecycle') return isRecord(value) && Array.isArray(value['rule']) && value['rule'].length === 0
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}

/** Every documented key of a bucket: what Google sets, and what a user may. */
export const bucketKeys: ReadonlySet<string> = new Set([
  ...Object.keys(writable.shape),
  ...`kind id selfLink projectNumber name timeCreated updated metageneration generation etag locationType owner softDeleteTime hardDeleteTime
  satisfiesPZS satisfiesPZI`.split(/\s+/),
])
