import { isRecord } from '../../base/is-record.ts'
import * as z from 'zod'
import type { StoredObject } from '../../objects/stored.ts'
import { aclSchema, type AclEntry } from './acl.ts'
import { withoutNulls } from '../../api/json-values.ts'
import { invalid, unimplemented } from './names.ts'
import { storageClass } from './storage-classes.ts'
import { metadata } from './user-maps.ts'

const header = z.string().max(8192)
const time = z.iso.datetime({ offset: true })

/** Source: cloud.google.com/storage/docs/object-contexts. */
const contextText = z.string().refine((text) => Buffer.byteLength(text) <= 256, 'A context has at most 256 bytes.')
const contexts = z.object({
  custom: z
    .custom<Readonly<Record<string, { readonly value: string }>>>(
      (value) => isRecord(value) && Object.entries(value).every(([key, one]) => isContext(key, one)),
      'Expected {"KEY": {"value": "VALUE"}}: 1 to 256 bytes each, beginning with a letter or digit.',
    )
    .refine((all) => Object.keys(all).length <= 50, 'An object has at most 50 contexts.')
    .optional(),
})

/** What a user may set of an object, as Google takes it. Source: cloud.google.com/storage/docs/json_api/v1/objects#resource. */
const writable = z.object({
  contentType: header,
  contentEncoding: header,
  contentDisposition: header,
  contentLanguage: header,
  cacheControl: header,
  customTime: time,
  storageClass,
  metadata,
  contexts,
  temporaryHold: z.boolean(),
  eventBasedHold: z.boolean(),
  retention: z.object({ retainUntilTime: time.optional(), mode: z.enum(['Unlocked', 'Locked']).optional() }),
  acl: aclSchema.refine((acl) => acl.every(({ role }) => role !== 'WRITER'), 'An object has the roles OWNER and READER.'),
})

const schema = writable.partial()
/** What a user may set of an object. */
export type ObjectFields = z.infer<typeof schema>

/** An object's attributes in the store. */
export interface ObjectAttributes {
  readonly fields: Omit<ObjectFields, 'acl'>
  readonly acl: readonly AclEntry[]
  /** Email of who made it. */
  readonly owner: string | undefined
  readonly marks?: ObjectMarks | undefined
}

/** What Google sets of an object when its metadata change. */
export interface ObjectMarks {
  /** Since when the bucket's period counts, where an event-based hold was released. Milliseconds since 1970. */
  readonly retainedFromMs?: number
  readonly classChangedMs?: number
  readonly contexts?: Readonly<Record<string, ContextTimes>>
}

export interface ContextTimes {
  readonly createTime: string
  readonly updateTime: string
}

const uploadSchema = schema.extend({ name: z.string().optional(), md5Hash: z.string().optional(), crc32c: z.string().optional() })
/** A resource sent with an upload: checksums there are checked, not stored. */
export type UploadResource = z.infer<typeof uploadSchema>

/** @throws CloudError INVALID_ARGUMENT, UNIMPLEMENTED */
export function readObjectFields(input: unknown): ObjectFields {
  return read(schema, input)
}

/** @throws CloudError INVALID_ARGUMENT, UNIMPLEMENTED */
export function readUploadResource(input: unknown): UploadResource {
  return read(uploadSchema, input)
}

export function objectAttributes(object: StoredObject): ObjectAttributes {
  return JSON.parse(object.attributes) as ObjectAttributes
}

/** Every documented key of an object: what Google sets, and what a user may. */
export const objectKeys: ReadonlySet<string> = new Set([
  ...Object.keys(writable.shape),
  ...`kind id selfLink mediaLink name bucket generation metageneration etag size md5Hash crc32c componentCount owner updated timeCreated timeDeleted
  timeStorageClassUpdated timeFinalized retentionExpirationTime softDeleteTime hardDeleteTime restoreToken customerEncryption kmsKeyName`.split(
    /\s+/,
  ),
])

function read<T>(model: z.ZodType<T>, input: unknown): T {
  const sent = withoutNulls(input)
  if (isRecord(sent) && sent['kmsKeyName'] !== undefined) throw unimplemented('Cloud KMS keys (kmsKeyName)')
  const result = model.safeParse(sent)
  if (result.success) return result.data
  const [issue] = result.error.issues
  throw invalid(`Invalid value for ${issue?.path.join('.') || 'the object'}: ${issue?.message ?? ''}`, 'Correct the object resource.')
}

function isContext(key: string, value: unknown): boolean {
  if (!isRecord(value) || typeof value['value'] !== 'string') return false
  return [key, value['value']].every((text) => /^[\p{L}\p{N}]/u.test(text) && contextText.safeParse(text).success && !/['"\\/]/.test(text))
}
