import type { StoredBucket } from '../../objects/stored.ts'
import { bucketAttributes } from './bucket-attributes.ts'
import { isUniform, uniformLockMs } from './bucket-change.ts'
import type { BucketFields } from './bucket-fields.ts'
import { locationType } from './locations.ts'

/** What an answer is told with: links start with `origin`, `https://storage.googleapis.com`. */
export interface View {
  readonly origin: string
  readonly full: boolean
}

/** Source: cloud.google.com/storage/docs/json_api/v1/buckets#resource. */
export function toBucketResource(bucket: StoredBucket, projectNumber: string, { origin, full }: View): Record<string, unknown> {
  const attributes = bucketAttributes(bucket)
  const { fields, marks = {} } = attributes
  const { acl: _acl, defaultObjectAcl: _defaultAcl, ...settings } = fields
  const uniform = isUniform(fields)
  const location = fields.location ?? 'US'
  const type = locationType(location, fields.customPlacementConfig !== undefined)
  const time = (ms: number | undefined) => toTime(ms ?? bucket.createdMs)
  const access = uniform
    ? { enabled: true, lockedTime: toTime((marks.uniformSinceMs ?? bucket.createdMs) + uniformLockMs) }
    : { enabled: false }
  const pap = fields.iamConfiguration?.publicAccessPrevention
  return {
    kind: 'storage#bucket',
    id: bucket.name,
    selfLink: `${origin}/storage/v1/b/${bucket.name}`,
    projectNumber,
    name: bucket.name,
    ...settings,
    location,
    locationType: type,
    storageClass: fields.storageClass ?? 'STANDARD',
    ...(type !== 'region' && { rpo: fields.rpo ?? 'DEFAULT' }),
    softDeletePolicy: {
      retentionDurationSeconds: String(fields.softDeletePolicy?.retentionDurationSeconds ?? 0),
      effectiveTime: time(marks.softDeleteSinceMs),
    },
    ...(fields.retentionPolicy !== undefined && {
      retentionPolicy: {
        retentionPeriod: String(fields.retentionPolicy.retentionPeriod),
        effectiveTime: time(marks.retentionSinceMs),
        ...(marks.isRetentionLocked === true && { isLocked: true }),
      },
    }),
    ...(fields.encryption !== undefined && { encryption: toEncryption(fields.encryption, time(marks.encryptionSinceMs)) }),
    ...(fields.autoclass !== undefined && {
      autoclass: {
        ...fields.autoclass,
        toggleTime: time(marks.autoclassToggledMs),
        ...(fields.autoclass.enabled && {
          terminalStorageClass: fields.autoclass.terminalStorageClass ?? 'NEARLINE',
          terminalStorageClassUpdateTime: time(marks.terminalClassMs),
        }),
      },
    }),
    iamConfiguration: {
      publicAccessPrevention: pap === 'enforced' ? pap : 'inherited',
      uniformBucketLevelAccess: access,
      bucketPolicyOnly: access,
    },
    generation: String(bucket.generation),
    metageneration: String(bucket.metageneration),
    etag: toEtag(bucket.metageneration),
    timeCreated: toTime(bucket.createdMs),
    updated: toTime(bucket.updatedMs),
    ...(full &&
      !uniform && {
        acl: attributes.acl.map((entry) => toBucketAcl(bucket, entry, origin)),
        defaultObjectAcl: attributes.defaultObjectAcl.map((entry) => ({
          kind: 'storage#objectAccessControl',
          ...entry,
          etag: toEtag(bucket.metageneration),
        })),
        owner: { entity: `project-owners-${projectNumber}` },
      }),
  }
}

/** Each restriction with the time from which it holds. */
function toEncryption(encryption: NonNullable<BucketFields['encryption']>, effectiveTime: string): object {
  const told = Object.entries(encryption).map(([key, value]) => [key, typeof value === 'object' ? { ...value, effectiveTime } : value])
  return Object.fromEntries(told) as object
}

export function toBucketAcl(bucket: StoredBucket, { entity, role }: { readonly entity: string; readonly role: string }, origin: string) {
  return {
    kind: 'storage#bucketAccessControl',
    id: `${bucket.name}/${entity}`,
    selfLink: `${origin}/storage/v1/b/${bucket.name}/acl/${entity}`,
    bucket: bucket.name,
    entity,
    role,
    etag: toEtag(bucket.metageneration),
  }
}

/** An opaque tag of these numbers. */
export function toEtag(...numbers: readonly number[]): string {
  return Buffer.from(numbers.join('/')).toString('base64')
}

/** RFC 3339 with milliseconds (storage trap 13). */
export function toTime(ms: number): string {
  return new Date(ms).toISOString()
}
