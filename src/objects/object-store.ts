import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { Clock } from '../base/clock.ts'
import { Turn } from '../base/turn.ts'
import type { State } from '../state/state.ts'
import { BlobFiles } from './blob-files.ts'
import { BlobRows } from './blob-rows.ts'
import { BucketRows, type BucketPage } from './bucket-rows.ts'
import { Generations } from './generations.ts'
import { bucketExists, bucketNotEmpty, bucketNotFound, objectNotFound } from './object-faults.ts'
import { listObjects, type Listing, type ListQuery } from './listing.ts'
import { ObjectRows } from './object-rows.ts'
import { checkPreconditions, type Preconditions } from './preconditions.ts'
import type { Content, StoredBucket, StoredObject } from './stored.ts'
import { Uploads } from './uploads.ts'

export interface NewObject {
  readonly bucket: string
  readonly name: string
  readonly content: Content
  readonly attributes: string
  readonly preconditions: Preconditions
  /** Runs in the turn of the commit, and throws to refuse the change: holds and retention. */
  readonly guard?: (bucket: StoredBucket, current: StoredObject | undefined) => void
  /** Runs in the transaction that makes the object. */
  readonly also?: (object: StoredObject) => void
}

/** One generation of an object, or the live one. */
export interface ObjectKey {
  readonly bucket: string
  readonly name: string
  readonly generation: number | undefined
}

/** A check that may refuse a change in the turn of the change. */
export type Guard = (bucket: StoredBucket, object: StoredObject) => void

/** The store behind all wires of Cloud Storage. The store knows no HTTP and no resource of Google: attributes are text of the product. */
export class ObjectStore implements AsyncDisposable {
  readonly uploads: Uploads
  readonly #state: State
  readonly #clock: Clock
  readonly #files: BlobFiles
  readonly #buckets: BucketRows
  readonly #objects: ObjectRows
  readonly #blobs: BlobRows
  readonly #generations: Generations
  readonly #listeners = new Set<(bucket: string) => void>()

  constructor(state: State, clock: Clock, files: BlobFiles) {
    this.#state = state
    this.#clock = clock
    this.#files = files
    this.#buckets = new BucketRows(state.db)
    this.#objects = new ObjectRows(state.db)
    this.#blobs = new BlobRows(state, files)
    this.#generations = new Generations(state.db, clock)
    this.uploads = new Uploads(state, clock, files)
  }

  /** Calls `listener` with the name of a bucket whose live objects have changed, once the change is durable. Ends when disposed. */
  onChange(listener: (bucket: string) => void): Disposable {
    this.#listeners.add(listener)
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) }
  }

  findBucket(name: string): StoredBucket | undefined {
    return this.#buckets.find(name)
  }

  /** The ids of the projects that have a bucket. */
  projects(): readonly string[] {
    return this.#buckets.projects()
  }

  /** @throws CloudError BUCKET_NOT_FOUND */
  bucket(name: string): StoredBucket {
    const bucket = this.#buckets.find(name)
    if (bucket === undefined) throw bucketNotFound()
    return bucket
  }

  listBuckets(project: string, prefix: string, after: string, limit: number): BucketPage {
    return this.#buckets.list(project, prefix, after, limit)
  }

  /** @throws CloudError BUCKET_EXISTS */
  async createBucket(wanted: {
    readonly name: string
    readonly project: string
    readonly versioned: boolean
    readonly attributes: string
  }): Promise<StoredBucket> {
    return this.#state.write(() => {
      if (this.#buckets.find(wanted.name) !== undefined) throw bucketExists()
      const now = this.#clock.nowMs()
      return this.#buckets.insert({ ...wanted, generation: this.#generations.next(), metageneration: 1, createdMs: now, updatedMs: now })
    })
  }

  /** @param change gives what to replace; runs in the turn of the change */
  async updateBucket(
    name: string,
    preconditions: Preconditions,
    change: (bucket: StoredBucket) => { readonly versioned: boolean; readonly attributes: string },
  ): Promise<StoredBucket> {
    return this.#state.write(() => {
      const current = this.bucket(name)
      checkPreconditions(preconditions, current)
      const next = {
        ...current,
        ...change(current),
        metageneration: current.metageneration + 1,
        updatedMs: this.#notBefore(current.updatedMs),
      }
      this.#buckets.update(next)
      return next
    })
  }

  /** @throws CloudError BUCKET_NOT_EMPTY while it has an object, noncurrent ones too */
  async removeBucket(name: string, preconditions: Preconditions): Promise<void> {
    const files = await this.#state.write(() => {
      const bucket = this.bucket(name)
      checkPreconditions(preconditions, bucket)
      if (this.#objects.hasAny(bucket.id)) throw bucketNotEmpty()
      return this.#drop(bucket)
    })
    await this.#blobs.removeFiles(files)
  }

  /** Removes a bucket with all its objects, also those under holds or retention. For devcloud itself, never for a caller. */
  async removeBucketWhole(bucket: StoredBucket): Promise<void> {
    const turn = new Turn()
    while (await this.#removeSome(bucket, turn)) await turn.next()
    this.#tell(bucket.name)
  }

  findObject({ bucket, name, generation }: ObjectKey): StoredObject | undefined {
    return this.#objects.find(this.bucket(bucket).id, name, generation)
  }

  /** @throws CloudError OBJECT_NOT_FOUND, CONDITION_NOT_MET, NOT_MODIFIED */
  object(key: ObjectKey, preconditions: Preconditions = {}): StoredObject {
    const object = this.findObject(key)
    if (object === undefined) throw objectNotFound(key)
    checkPreconditions(preconditions, object)
    return object
  }

  /** Lists one page, in several turns of the event loop when many names do not match. @throws CloudError BUCKET_NOT_FOUND */
  async list(bucket: string, query: ListQuery, turn = new Turn()): Promise<Listing> {
    return listObjects(this.#objects, this.bucket(bucket).id, query, turn)
  }

  /** Takes a body. Pass the staged content on to `put` or to `discard`. */
  async stage(body: AsyncIterable<Uint8Array>): Promise<Content> {
    return this.#files.stage(body)
  }

  /** Stages the content of these blobs, one after another. Call in the turn in which their objects were read. */
  async stageBlobs(ids: readonly number[]): Promise<Content> {
    const body = this.#blobs.open(ids, 0, Number.MAX_SAFE_INTEGER)
    return this.#files.stage(body instanceof Uint8Array ? Readable.from([body]) : body)
  }

  async discard({ bytes }: Content): Promise<void> {
    if (bytes.kind === 'file') await this.#files.remove(bytes.file)
  }

  /** Makes a new generation, durable when resolved. When `put` throws, the caller has to discard the staged content. */
  async put(wanted: NewObject): Promise<StoredObject> {
    const { object, files } = await this.#state.write(() => {
      const bucket = this.bucket(wanted.bucket)
      const current = this.#objects.live(bucket.id, wanted.name)
      checkPreconditions(wanted.preconditions, current)
      wanted.guard?.(bucket, current)
      const now = this.#clock.nowMs()
      const { sizeBytes, crc32c, md5, componentCount } = wanted.content
      const blobs = this.#blobs.take(wanted.content)
      const files = current === undefined ? [] : this.#retire(bucket, current)
      const object: StoredObject = {
        bucketId: bucket.id, name: wanted.name, generation: this.#generations.next(), metageneration: 1, sizeBytes, crc32c, md5,
        createdMs: now, updatedMs: now, deletedMs: undefined, componentCount, blobs, attributes: wanted.attributes,
      } // prettier-ignore
      this.#objects.put(object)
      wanted.also?.(object)
      return { object, files }
    })
    await this.#blobs.removeFiles(files)
    this.#tell(wanted.bucket)
    return object
  }

  /** Changes the attributes of an object; generation and bytes stay. @param change runs in the turn of the change */
  async update(
    key: ObjectKey,
    preconditions: Preconditions,
    change: (bucket: StoredBucket, object: StoredObject) => string,
  ): Promise<StoredObject> {
    return this.#state.write(() => {
      const current = this.object(key, preconditions)
      const attributes = change(this.bucket(key.bucket), current)
      const next = { ...current, attributes, metageneration: current.metageneration + 1, updatedMs: this.#notBefore(current.updatedMs) }
      this.#objects.put(next)
      return next
    })
  }

  /** Deletes a generation. In a versioned bucket the live generation becomes noncurrent, unless the key names that generation. */
  async remove(key: ObjectKey, preconditions: Preconditions, guard: Guard = () => {}): Promise<void> {
    const files = await this.#state.write(() => {
      const bucket = this.bucket(key.bucket)
      const current = this.object(key, preconditions)
      guard(bucket, current)
      if (key.generation === undefined) {
        const gone = this.#retire(bucket, current)
        this.#objects.remove(current)
        return gone
      }
      this.#objects.remove(current)
      return this.#blobs.drop(current.blobs)
    })
    await this.#blobs.removeFiles(files)
    this.#tell(key.bucket)
  }

  /** The bytes from `first` to `last`, both inclusive. Call in the turn in which the object was read. */
  open(object: StoredObject, first: number, last: number): Uint8Array | Readable {
    return this.#blobs.open(object.blobs, first, last)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.uploads[Symbol.asyncDispose]()
  }

  /** Removes as many objects as fit in the turn, and after the last one the bucket. Gives whether objects are left. */
  async #removeSome(bucket: StoredBucket, turn: Turn): Promise<boolean> {
    const { files, hasMore } = await this.#state.write(() => {
      const files: string[] = []
      for (let object = this.#objects.first(bucket.id); object !== undefined; object = this.#objects.first(bucket.id)) {
        if (turn.isOver) return { files, hasMore: true }
        this.#objects.remove(object)
        files.push(...this.#blobs.drop(object.blobs))
      }
      return { files: [...files, ...this.#drop(bucket)], hasMore: false }
    })
    await this.#blobs.removeFiles(files)
    return hasMore
  }

  /** Removes a bucket's row and its unfinished uploads, since a later bucket may get the same id. Gives the files to remove after the commit. */
  #drop(bucket: StoredBucket): readonly string[] {
    this.#buckets.remove(bucket)
    return this.uploads.drop(bucket.id)
  }

  /** The time of a change. A clock that stepped back counts as standing still, so that no change is older than the object that it changes. */
  #notBefore(ms: number): number {
    return Math.max(ms, this.#clock.nowMs())
  }

  #tell(bucket: string): void {
    for (const listener of this.#listeners) listener(bucket)
  }

  /** Retires a live object that is replaced or deleted. Gives the files to remove after the commit. */
  #retire(bucket: StoredBucket, current: StoredObject): readonly string[] {
    if (!bucket.versioned) return this.#blobs.drop(current.blobs)
    this.#objects.put({ ...current, deletedMs: this.#notBefore(current.createdMs) })
    return []
  }
}

/** Opens the store in `objects/` of the state directory, and removes files that a killed daemon left when the database is the one of the directory. */
export async function openObjectStore(state: State, clock: Clock): Promise<ObjectStore> {
  const files = new BlobFiles(join(state.directory, 'objects'), state.disk)
  await files.make()
  if (state.knowsDirectory) {
    const kept = state.db.prepare('SELECT file FROM object_blobs WHERE file IS NOT NULL UNION ALL SELECT file FROM object_uploads').all()
    const names = new Set(kept.map((row) => row['file']))
    await files.sweep((file) => names.has(file))
  }
  return new ObjectStore(state, clock, files)
}
