import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { Clock } from '../base/clock.ts'
import { CloudError } from '../base/cloud-error.ts'
import { Turn } from '../base/turn.ts'
import type { State } from '../state/state.ts'
import { BlobFiles } from './blob-files.ts'
import { BlobRows } from './blob-rows.ts'
import { BucketRows, type BucketPage } from './bucket-rows.ts'
import { Generations } from './generations.ts'
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
  /** Runs in the turn of the commit; throws to refuse: holds and retention. */
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

/** What a caller may refuse in the turn of the change. */
export type Guard = (bucket: StoredBucket, object: StoredObject) => void

/** The store behind all wires. It knows no HTTP and no resource of Google's: attributes are the product's own text. */
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

  /** Tells the name of a bucket whose live objects have changed, once the change is durable, until it is disposed. */
  onChange(listener: (bucket: string) => void): Disposable {
    this.#listeners.add(listener)
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) }
  }

  findBucket(name: string): StoredBucket | undefined {
    return this.#buckets.find(name)
  }

  /** Those that have a bucket. */
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

  /** Removes a bucket with everything in it, whatever holds or retains it: for devcloud itself, never for a caller. */
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

  /** One page. It is read in several turns where the names that do not match are many. @throws CloudError BUCKET_NOT_FOUND */
  async list(bucket: string, query: ListQuery, turn = new Turn()): Promise<Listing> {
    return listObjects(this.#objects, this.bucket(bucket).id, query, turn)
  }

  /** Takes a body in. What is staged must go to `put`, or to `discard`. */
  async stage(body: AsyncIterable<Uint8Array>): Promise<Content> {
    return this.#files.stage(body)
  }

  /** Takes in what these blobs have, one after another. Call it in the turn in which their objects were read. */
  async stageBlobs(ids: readonly number[]): Promise<Content> {
    const body = this.#blobs.open(ids, 0, Number.MAX_SAFE_INTEGER)
    return this.#files.stage(body instanceof Uint8Array ? Readable.from([body]) : body)
  }

  async discard({ bytes }: Content): Promise<void> {
    if (bytes.kind === 'file') await this.#files.remove(bytes.file)
  }

  /** Makes a new generation, durable when resolved. Staged content is the caller's again when it throws. */
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

  /** Changes what is told of an object; its generation and bytes stay. @param change runs in the turn of the change */
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

  /** In a versioned bucket the live one becomes noncurrent, unless the key names its generation. */
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

  /** The bytes from `first` to `last`, both inclusive; call it in the turn in which the object was read. */
  open(object: StoredObject, first: number, last: number): Uint8Array | Readable {
    return this.#blobs.open(object.blobs, first, last)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.uploads[Symbol.asyncDispose]()
  }

  /** Removes as many objects as fit in the turn, and after the last one the bucket. Answers whether there are more. */
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

  /** The row of a bucket, and its half-made uploads: its id may be given again. Answers files to remove after the commit. */
  #drop(bucket: StoredBucket): readonly string[] {
    this.#buckets.remove(bucket)
    return this.uploads.drop(bucket.id)
  }

  /** The time of a change: a clock that stepped back counts as standing still, so that no change is older than what it changes. */
  #notBefore(ms: number): number {
    return Math.max(ms, this.#clock.nowMs())
  }

  #tell(bucket: string): void {
    for (const listener of this.#listeners) listener(bucket)
  }

  /** What becomes of a live object that is replaced or deleted. Answers files to remove after the commit. */
  #retire(bucket: StoredBucket, current: StoredObject): readonly string[] {
    if (!bucket.versioned) return this.#blobs.drop(current.blobs)
    this.#objects.put({ ...current, deletedMs: this.#notBefore(current.createdMs) })
    return []
  }
}

/** Opens the store in the state directory's `objects/` and sweeps what a killed daemon left there, when the database knows what is there. */
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

function notFound(message: string, options: { readonly fault: string }): CloudError {
  return new CloudError('NOT_FOUND', message, 'Check the name.', options)
}

export function bucketNotFound(): CloudError {
  return notFound('The specified bucket does not exist.', { fault: 'BUCKET_NOT_FOUND' })
}

function objectNotFound({ bucket, name }: ObjectKey): CloudError {
  return notFound(`No such object: ${bucket}/${name}`, { fault: 'OBJECT_NOT_FOUND' })
}

function bucketExists(): CloudError {
  return new CloudError(
    'ALREADY_EXISTS',
    'Your previous request to create the named bucket succeeded and you already own it.',
    'Use it, or choose another name.',
    { fault: 'BUCKET_EXISTS' },
  )
}

function bucketNotEmpty(): CloudError {
  return new CloudError('ABORTED', 'The bucket you tried to delete is not empty.', 'Delete its objects first.', {
    fault: 'BUCKET_NOT_EMPTY',
  })
}
