/** A bucket in the store. `attributes` is text of the product; the store does not read it. */
export interface StoredBucket {
  readonly id: number
  readonly name: string
  readonly project: string
  readonly generation: number
  readonly metageneration: number
  readonly createdMs: number
  readonly updatedMs: number
  /** Whether replaced and deleted objects stay, as noncurrent generations. */
  readonly versioned: boolean
  readonly attributes: string
}

/** One generation of an object. */
export interface StoredObject {
  readonly bucketId: number
  readonly name: string
  /** Microseconds since 1970, raised by one where the clock stood still: monotonic over the whole store. */
  readonly generation: number
  readonly metageneration: number
  readonly sizeBytes: number
  readonly crc32c: number
  /** Absent for composed objects. */
  readonly md5: Uint8Array | undefined
  readonly createdMs: number
  readonly updatedMs: number
  /** When the generation became noncurrent, in ms since 1970. Undefined for a live one. */
  readonly deletedMs: number | undefined
  /** The number of parts of a composed object. Undefined for other objects. */
  readonly componentCount: number | undefined
  /** The ids of the blobs with the object's bytes, in order. */
  readonly blobs: readonly number[]
  readonly attributes: string
}

/** Bytes on disk, or small bytes for a row, that no object names yet. */
export interface Content {
  readonly sizeBytes: number
  readonly crc32c: number
  readonly md5: Uint8Array | undefined
  readonly bytes:
    | { readonly kind: 'inline'; readonly data: Uint8Array }
    /** A synced file of the store's directory. */
    | { readonly kind: 'file'; readonly file: string }
    /** The blobs of existing objects: copy and compose. */
    | { readonly kind: 'blobs'; readonly ids: readonly number[] }
  readonly componentCount?: number
}
