import type { StoredObject } from '../../objects/stored.ts'
import { toEtag, toTime, type View } from './bucket-resource.ts'
import { objectAttributes } from './object-attributes.ts'

/** Source: cloud.google.com/storage/docs/json_api/v1/objects#resource. 64-bit numbers are strings (storage trap 13). */
export function toObjectResource(bucket: string, object: StoredObject, { origin, full }: View): Record<string, unknown> {
  const { fields, acl, owner } = objectAttributes(object)
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
    storageClass: fields.storageClass ?? 'STANDARD',
    size: String(object.sizeBytes),
    ...(object.md5 !== undefined && { md5Hash: Buffer.from(object.md5).toString('base64') }),
    crc32c: toCrc32cText(object.crc32c),
    etag,
    ...(object.componentCount !== undefined && { componentCount: object.componentCount }),
    timeCreated: toTime(object.createdMs),
    updated: toTime(object.updatedMs),
    timeStorageClassUpdated: toTime(object.createdMs),
    timeFinalized: toTime(object.createdMs),
    ...(object.deletedMs !== undefined && { timeDeleted: toTime(object.deletedMs) }),
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

/** Base64 of the big-endian word (storage trap 14). */
export function toCrc32cText(crc32c: number): string {
  const word = Buffer.alloc(4)
  word.writeUInt32BE(crc32c)
  return word.toString('base64')
}
