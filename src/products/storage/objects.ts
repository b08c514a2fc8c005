import { isRecord } from '../../base/is-record.ts'
import type { Caller } from '../../api/caller.ts'
import type { Clock } from '../../base/clock.ts'
import type { ObjectKey, ObjectStore } from '../../objects/object-store.ts'
import type { Preconditions } from '../../objects/preconditions.ts'
import { checkPreconditions } from '../../objects/preconditions.ts'
import type { Content, StoredBucket, StoredObject } from '../../objects/stored.ts'
import { predefinedAcl, type AclEntry } from './acl.ts'
import { bucketAttributes } from './bucket-attributes.ts'
import { mergePatch, picked } from '../../api/json-values.ts'
import { checkListsCount, type Buckets } from './buckets.ts'
import { composition, isInTooManyPieces } from './composition.ts'
import { checkHolds } from './holds.ts'
import { checkObjectName, invalid } from './names.ts'
import { objectAttributes, readObjectFields, type ObjectAttributes, type ObjectFields } from './object-attributes.ts'
import { changedObject } from './object-change.ts'
import { toCrc32cText } from './object-resource.ts'
import { checkListNotPublic } from './public-access.ts'

/** An object that is to be made, all but its bytes. */
export interface ObjectWish {
  readonly bucket: string
  readonly name: string
  readonly fields: ObjectFields
  readonly predefinedAcl: string | undefined
  readonly preconditions: Preconditions
  readonly caller: Caller | undefined
}

/** How an object's metadata are to change. */
export interface ChangeWish {
  readonly preconditions: Preconditions
  readonly predefinedAcl: string | undefined
  /** overrideUnlockedRetention. */
  readonly overridesRetention: boolean
}

/** Base64, as clients send them. */
export interface Checksums {
  readonly md5Hash?: string | undefined
  readonly crc32c?: string | undefined
}

/** Objects: making, changing, copying, composing. Reading bytes is the store's. */
export class Objects {
  readonly #store: ObjectStore
  readonly #buckets: Buckets
  readonly #clock: Clock

  constructor(store: ObjectStore, buckets: Buckets, clock: Clock) {
    this.#store = store
    this.#buckets = buckets
    this.#clock = clock
  }

  /** What can be refused before the first byte is taken in. */
  checkWish(wish: ObjectWish): void {
    checkObjectName(wish.name)
    const bucket = this.#store.bucket(wish.bucket)
    if (wish.predefinedAcl !== undefined || wish.fields.acl !== undefined) checkListsCount(bucketAttributes(bucket), 'insert', 'object')
    checkPreconditions(wish.preconditions, this.#store.findObject({ ...wish, generation: undefined }))
    this.#attributesOf(wish)
  }

  /** Takes a body in and makes the object. */
  async insert(wish: ObjectWish, body: AsyncIterable<Uint8Array>, checksums: Checksums): Promise<StoredObject> {
    this.checkWish(wish)
    const content = await this.#store.stage(body)
    try {
      return await this.commit(wish, content, checksums)
    } catch (error) {
      await this.#store.discard(content)
      throw error
    }
  }

  /** Makes the object of content that is there already. @throws CloudError when a checksum differs */
  async commit(wish: ObjectWish, content: Content, checksums: Checksums, also?: (object: StoredObject) => void): Promise<StoredObject> {
    checkObjectName(wish.name)
    checkSums(content, checksums)
    return this.#store.put({
      bucket: wish.bucket,
      name: wish.name,
      content,
      attributes: JSON.stringify(this.#attributesOf(wish)),
      preconditions: wish.preconditions,
      guard: (bucket, current) => checkHolds(this.#clock.nowMs(), bucket, current),
      ...(also !== undefined && { also }),
    })
  }

  /** Only what the patch names is read again: what an older daemon took stays. */
  async patch(key: ObjectKey, wish: ChangeWish, patch: unknown): Promise<StoredObject> {
    if (!isRecord(patch)) throw invalid('The patch is no object.', 'Send the fields that change.')
    const keys = Object.keys(patch)
    return this.#change(key, wish, (fields) => ({
      ...(picked(fields, (name) => !keys.includes(name)) as ObjectFields),
      ...readObjectFields(picked(mergePatch(fields, patch), (name) => keys.includes(name))),
    }))
  }

  async update(key: ObjectKey, wish: ChangeWish, resource: unknown): Promise<StoredObject> {
    return this.#change(key, wish, () => readObjectFields(resource))
  }

  async changeAcl(key: ObjectKey, change: (acl: readonly AclEntry[]) => readonly AclEntry[]): Promise<StoredObject> {
    return this.#store.update(key, {}, (bucket, object) => {
      checkListsCount(bucketAttributes(bucket), 'update', 'object')
      const attributes = objectAttributes(object)
      const acl = change(attributes.acl)
      if (acl.some(({ role }) => role === 'WRITER')) throw invalid('Invalid role: WRITER', 'Use OWNER or READER for an object.')
      checkListNotPublic(bucketAttributes(bucket), acl, attributes.acl)
      return JSON.stringify({ ...attributes, acl } satisfies ObjectAttributes)
    })
  }

  async remove(key: ObjectKey, preconditions: Preconditions): Promise<void> {
    await this.#store.remove(key, preconditions, (bucket, object) => checkHolds(this.#clock.nowMs(), bucket, object))
  }

  /** A copy shares the source's bytes. Its fields are the source's, unless `fields` are given (storage trap 34). */
  async copy(source: StoredObject, wish: Omit<ObjectWish, 'fields'>, fields: ObjectFields | undefined): Promise<StoredObject> {
    const own: ObjectFields = fields ?? copiedFields(objectAttributes(source).fields)
    const contentType = own.contentType ?? objectAttributes(source).fields.contentType
    const merged: ObjectFields = { ...own, ...(contentType !== undefined && { contentType }) }
    const { sizeBytes, crc32c, md5, componentCount, blobs } = source
    const content: Content = {
      sizeBytes,
      crc32c,
      md5,
      bytes: { kind: 'blobs', ids: blobs },
      ...(componentCount !== undefined && { componentCount }),
    }
    this.checkWish({ ...wish, fields: merged })
    return this.commit({ ...wish, fields: merged }, content, {})
  }

  /** The sources' bytes laid end to end, shared with them. Call it in the turn in which they were read. */
  async compose(sources: readonly StoredObject[], wish: ObjectWish): Promise<StoredObject> {
    const content = composition(sources)
    const [first] = sources
    const contentType = wish.fields.contentType ?? (first && objectAttributes(first).fields.contentType)
    const whole = { ...wish, fields: { ...wish.fields, ...(contentType !== undefined && { contentType }) } }
    this.checkWish(whole)
    if (!isInTooManyPieces(content)) return this.commit(whole, content, {})
    const { bytes } = await this.#store.stageBlobs(content.bytes.ids)
    const written = { ...content, bytes }
    return this.commit(whole, written, {}).catch(async (error: unknown) => {
      await this.#store.discard(written)
      throw error
    })
  }

  async #change(
    key: ObjectKey,
    { preconditions, predefinedAcl: predefined, overridesRetention }: ChangeWish,
    change: (fields: ObjectFields) => ObjectFields,
  ): Promise<StoredObject> {
    return this.#store.update(key, preconditions, (bucket, object) => {
      const current = objectAttributes(object)
      const settings = bucketAttributes(bucket)
      const { acl: sent, ...after } = change(current.fields)
      const { fields, marks } = changedObject({
        before: current,
        after,
        bucket: settings.fields,
        nowMs: this.#clock.nowMs(),
        overridesRetention,
      })
      const acl = predefined === undefined ? sent : this.#predefined(predefined, bucket, current.owner)
      if (acl !== undefined) {
        checkListsCount(settings, 'update', 'object')
        checkListNotPublic(settings, acl, current.acl)
      }
      return JSON.stringify({ ...current, fields, marks, acl: acl ?? current.acl } satisfies ObjectAttributes)
    })
  }

  #attributesOf({ bucket: bucketName, fields: { acl: sent, ...wanted }, predefinedAcl: predefined, caller }: ObjectWish): ObjectAttributes {
    const bucket = this.#store.bucket(bucketName)
    const settings = bucketAttributes(bucket)
    const owner = caller?.email
    const { defaultObjectAcl } = settings
    const inherited = owner === undefined ? defaultObjectAcl : [...defaultObjectAcl, { entity: `user-${owner}`, role: 'OWNER' as const }]
    const acl = predefined === undefined ? sent : this.#predefined(predefined, bucket, owner)
    if (acl !== undefined) checkListNotPublic(settings, acl)
    const held = settings.fields.defaultEventBasedHold === true ? { eventBasedHold: true } : {}
    const storageClass = wanted.storageClass ?? settings.fields.storageClass
    const after = { ...held, ...wanted, ...(storageClass !== undefined && { storageClass }) }
    const made = changedObject({ after, bucket: settings.fields, nowMs: this.#clock.nowMs(), overridesRetention: false })
    return { ...made, acl: acl ?? inherited, owner }
  }

  #predefined(name: string, bucket: StoredBucket, owner: string | undefined): readonly AclEntry[] {
    return predefinedAcl('object', name, this.#buckets.projectNumber(bucket), owner === undefined ? undefined : { email: owner })
  }
}

/** What a copy has of its source: no hold and no retention, and the storage class is the bucket's. Source: cloud.google.com/storage/docs/json_api/v1/objects/rewrite */
function copiedFields(fields: ObjectFields): ObjectFields {
  const { temporaryHold: _held, eventBasedHold: _alsoHeld, retention: _retained, storageClass: _class, ...copied } = fields
  return copied
}

function checkSums(content: Content, { md5Hash, crc32c }: Checksums): void {
  const actualCrc32c = toCrc32cText(content.crc32c)
  if (crc32c !== undefined && crc32c !== actualCrc32c) {
    throw invalid(`Provided CRC32C "${crc32c}" doesn't match calculated CRC32C "${actualCrc32c}".`, 'Send the bytes again.')
  }
  if (md5Hash === undefined || content.md5 === undefined) return
  const actualMd5 = Buffer.from(content.md5).toString('base64')
  if (md5Hash !== actualMd5)
    throw invalid(`Provided MD5 hash "${md5Hash}" doesn't match calculated MD5 hash "${actualMd5}".`, 'Send the bytes again.')
}
