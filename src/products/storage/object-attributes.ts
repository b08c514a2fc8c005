import * as z from 'zod'
import { stringMap } from '../../api/string-map.ts'
import type { StoredObject } from '../../objects/stored.ts'
import { aclSchema, type AclEntry } from './acl.ts'
import { withoutNulls } from '../../api/json-values.ts'
import { invalid } from './names.ts'

const writable = z.object({
  contentType: z.string(),
  contentEncoding: z.string(),
  contentDisposition: z.string(),
  contentLanguage: z.string(),
  cacheControl: z.string(),
  customTime: z.string(),
  storageClass: z.string(),
  metadata: stringMap(),
  contexts: z.looseObject({}),
  temporaryHold: z.boolean(),
  eventBasedHold: z.boolean(),
  retention: z.looseObject({ retainUntilTime: z.string().optional(), mode: z.string().optional() }),
  kmsKeyName: z.string(),
  acl: aclSchema,
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
}

const uploadSchema = schema.extend({ name: z.string().optional(), md5Hash: z.string().optional(), crc32c: z.string().optional() })
/** A resource sent with an upload: checksums there are checked, not stored. */
export type UploadResource = z.infer<typeof uploadSchema>

/** @throws CloudError INVALID_ARGUMENT */
export function readObjectFields(input: unknown): ObjectFields {
  return read(schema, input)
}

/** @throws CloudError INVALID_ARGUMENT */
export function readUploadResource(input: unknown): UploadResource {
  return read(uploadSchema, input)
}

export function objectAttributes(object: StoredObject): ObjectAttributes {
  return JSON.parse(object.attributes) as ObjectAttributes
}

function read<T>(model: z.ZodType<T>, input: unknown): T {
  const result = model.safeParse(withoutNulls(input))
  if (result.success) return result.data
  const [issue] = result.error.issues
  throw invalid(`Invalid value for ${issue?.path.join('.') ?? 'the object'}: ${issue?.message ?? ''}`, 'Correct the object resource.')
}
