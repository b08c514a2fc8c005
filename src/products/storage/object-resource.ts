import type { StoredBucket, StoredObject } from '../../objects/stored.ts'
import { toEtag, toTime, type View } from './bucket-resource.ts'
import { retainedUntilMs, retentionPeriodMs } from './holds.ts'
import { objectAttributes, type ObjectFields, type ObjectMarks } from './object-attributes.ts'

/** What is told of an object that its bucket has. Read it once for a list. */
export interface BucketOfObject {
  readonly name: string
  /** Of retention; 0 for none. */
  readonly periodMs: number
}

export function bucketOfObject(bucket: StoredBucket): BucketOfObject {
  return { name: bucket.name, periodMs: retentionPeriodMs(bucket) }
}

/** Source: cloud.google.com/storage/docs/json_api/v1/objects#resource. 64-bit numbers are strings (storage trap 13). */
export function toObjectResource(
  { name: bucket, periodMs }: BucketOfObject,
  object: StoredObject,
  { origin, full }: View,
): Record<string, unknown> {
  const attributes = objectAttributes(object)
  const { fields, acl, owner, marks } = attributes
  const untilMs = retainedUntilMs(object, attributes, periodMs)
  const path = `b/${bucket}/o/${encodeURIComponent(object.name)}`
  const etag = toEtag(object.generation, object.metageneration)
  return {
    kind: 'storage#object',
    id: `${bucket}/${object.name}/${object.generation}`,
    selfLink: `${origin}/storage/v1/${path}`,
    mediaLink: `${origin}/download/storage/v1/${path}?generation=${object.generation}&alt=media`,
    name: object.name,
    bucket,
    generation: String(object.generation),
    metageneration: String(object.metageneration),
    ...fields,
    ...(fields.contexts !== undefined && { contexts: toContexts(fields.contexts, marks, object) }),
    storageClass: fields.storageClass ?? 'STANDARD',
    size: String(object.sizeBytes),
    ...(object.md5 !== undefined && { md5Hash: Buffer.from(object.md5).toString('base64') }),
    crc32c: toCrc32cText(object.crc32c),
    etag,
    ...(object.componentCount !== undefined && { componentCount: object.componentCount }),
    timeCreated: toTime(object.createdMs),
    updated: toTime(object.updatedMs),
    timeStorageClassUpdated: toTime(marks?.classChangedMs ?? object.createdMs),
    timeFinalized: toTime(object.createdMs),
    ...(object.deletedMs !== undefined && { timeDeleted: toTime(object.deletedMs) }),
    ...(untilMs !== undefined && { retentionExpirationTime: toTime(untilMs) }),
    ...(full && {
      acl: acl.map((entry) => toObjectAcl(bucket, object, entry, origin)),
      ...(owner !== undefined && { owner: { entity: `user-${owner}` } }),
    }),
  }
}

export function toObjectAcl(
  bucket: string,
  object: StoredObject,
  { entity, role }: { readonly entity: string; readonly role: string },
  origin: string,
) {
  return {
    kind: 'storage#objectAccessControl',
    id: `${bucket}/${object.name}/${object.generation}/${entity}`,
    selfLink: `${origin}/storage/v1/b/${bucket}/o/${encodeURIComponent(object.name)}/acl/${entity}`,
    bucket,
    object: object.name,
    generation: String(object.generation),
    entity,
    role,
    etag: toEtag(object.generation, object.metageneration),
  }
}

function toContexts({ custom = {} }: NonNullable<ObjectFields['contexts']>, marks: ObjectMarks | undefined, object: StoredObject) {
  const times = new Map(Object.entries(marks?.contexts ?? {}))
  const made = toTime(object.createdMs)
  const told = Object.entries(custom).map(([key, { value }]) => [
    key,
    { value, createTime: times.get(key)?.createTime ?? made, updateTime: times.get(key)?.updateTime ?? made },
  ])
  return { custom: Object.fromEntries(told) as unknown }
}

/** Base64 of the big-endian word (storage trap 14). */
export function toCrc32cText(crc32c: number): string {
  const word = Buffer.alloc(4)
  word.writeUInt32BE(crc32c)
  return word.toString('base64')
}
