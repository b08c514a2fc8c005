import type { StoredBucket, StoredObject } from '../../../objects/stored.ts'
import { isOpenToAll } from '../access.ts'
import { toEtag } from '../bucket-resource.ts'
import { objectAttributes } from '../object-attributes.ts'
import { toCrc32cText } from '../object-resource.ts'

export type Wire = 'json' | 'xml'

/** JSON's tag is the resource's own, XML's the quoted MD5 (storage trap 17). */
export function toEtagHeader(object: StoredObject, wire: Wire): string {
  if (wire === 'json') return toEtag(object.generation, object.metageneration)
  return `"${object.md5 === undefined ? toEtag(object.generation) : Buffer.from(object.md5).toString('hex')}"`
}

/**
 * What tells of an object whose bytes are sent, all but length and encoding. Hashes are those of the stored bytes (storage trap 15).
 * Source: cloud.google.com/storage/docs/xml-api/reference-headers.
 */
export function toObjectHeaders(bucket: StoredBucket, object: StoredObject, wire: Wire): Record<string, string> {
  const { fields } = objectAttributes(object)
  const md5 = object.md5 === undefined ? '' : `,md5=${Buffer.from(object.md5).toString('base64')}`
  const isPublic = isOpenToAll('storage.objects.get', bucket, object)
  const told: Readonly<Record<string, string | undefined>> = {
    'content-type': fields.contentType ?? 'application/octet-stream',
    'content-disposition': fields.contentDisposition,
    'content-language': fields.contentLanguage,
    'cache-control': fields.cacheControl ?? (isPublic ? 'public, max-age=3600' : 'private, max-age=0'),
    etag: toEtagHeader(object, wire),
    'last-modified': new Date(object.updatedMs).toUTCString(),
    'accept-ranges': 'bytes',
    'x-content-type-options': 'nosniff', // a page of another type than its object's is not run (S18)
    'x-goog-generation': String(object.generation),
    'x-goog-metageneration': String(object.metageneration),
    'x-goog-storage-class': fields.storageClass ?? 'STANDARD',
    'x-goog-stored-content-encoding': fields.contentEncoding ?? 'identity',
    'x-goog-stored-content-length': String(object.sizeBytes),
    'x-goog-hash': `crc32c=${toCrc32cText(object.crc32c)}${md5}`,
    'x-goog-component-count': object.componentCount === undefined ? undefined : String(object.componentCount),
    'x-goog-custom-time': fields.customTime,
  }
  const custom = wire === 'xml' ? Object.entries(fields.metadata ?? {}).map(([key, value]) => [`x-goog-meta-${key}`, value] as const) : []
  const all = [...Object.entries(told), ...custom].flatMap(([name, value]) =>
    value === undefined ? [] : [[name.toLowerCase(), toHeaderText(value)] as const],
  )
  return Object.fromEntries(all.filter(([name]) => /^[\w!#$%&'*+.^`|~-]+$/.test(name)))
}

/** UTF-8 as it stands on the wire, without what would end the header. */
export function toHeaderText(value: string): string {
  // eslint-disable-next-line no-control-regex
  return Buffer.from(value, 'utf8')
    .toString('latin1')
    .replaceAll(/[\x00-\x08\x0a-\x1f\x7f]/g, ' ')
}
