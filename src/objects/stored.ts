/** A bucket as the store keeps it. `attributes` is text of the product's own making, opaque here. */
export interface StoredBucket {
  readonly id: number
  readonly name: string
  readonly project: string
  readonly generation: number
  readonly metageneration: number
  readonly createdMs: number
  readonly updatedMs: number
  /** Whether replaced and deleted objects stay as noncurrent generations. */
  readonly versioned: boolean
  readonly attributes: string
}

/** One generation of an object. */
export interface StoredObject {
  readonly bucketId: number
  readonly name: string
  /** Microseconds since 1970, made larger where the clock stood still: monotonic over the whole store. */
  readonly generation: number
  readonly metageneration: number
  readonly sizeBytes: number
  readonly crc32c: number
  /** Absent for composed objects. */
  readonly md5: Uint8Array | undefined
  readonly createdMs: number
  readonly updatedMs: number
  /** When it became noncurrent; undefined while live. */
  readonly deletedMs: number | undefined
  /** How many parts it was composed of; undefined when it was not. */
  readonly componentCount: number | undefined
  /** Ids of the blobs that its bytes are, in order. */
  readonly blobs: readonly number[]
  readonly attributes: string
}

/** Bytes that are on disk, or small enough to be kept in a row, and that no object names yet. */
export interface Content {
  readonly sizeBytes: number
  readonly crc32c: number
  readonly md5: Uint8Array | undefined
  readonly bytes:
    | { readonly kind: 'inline'; readonly data: Uint8Array }
    /** A synced file of the store's directory. */
    | { readonly kind: 'file'; readonly file: string }
    /** Those of objects that exist: copy and compose. */
    | { readonly kind: 'blobs'; readonly ids: readonly number[] }
  readonly componentCount?: number
}
