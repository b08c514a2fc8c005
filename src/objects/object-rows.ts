import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import type { StoredObject } from './stored.ts'

type Row = Record<string, SQLOutputValue>

const columns =
  'bucket, name, generation, metageneration, size, crc32c, md5, created_ms, updated_ms, deleted_ms, components, blobs, attributes'
const insertInto = (table: string) => `INSERT OR REPLACE INTO ${table} (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

/** The rows of objects. Call the changing methods within `state.write`. */
export class ObjectRows {
  readonly #live
  readonly #noncurrent
  readonly #putLive
  readonly #putNoncurrent
  readonly #deleteLive
  readonly #deleteNoncurrent
  readonly #any
  readonly #firstLive
  readonly #firstNoncurrent
  readonly #listLive
  readonly #listAll

  constructor(db: DatabaseSync) {
    this.#live = db.prepare(`SELECT ${columns} FROM object_live WHERE bucket = ? AND name = ?`)
    this.#noncurrent = db.prepare(`SELECT ${columns} FROM object_noncurrent WHERE bucket = ? AND name = ? AND generation = ?`)
    this.#putLive = db.prepare(insertInto('object_live'))
    this.#putNoncurrent = db.prepare(insertInto('object_noncurrent'))
    this.#deleteLive = db.prepare('DELETE FROM object_live WHERE bucket = ? AND name = ?')
    this.#deleteNoncurrent = db.prepare('DELETE FROM object_noncurrent WHERE bucket = ? AND name = ? AND generation = ?')
    this.#any = db.prepare(
      'SELECT EXISTS (SELECT 1 FROM object_live WHERE bucket = ?1) OR EXISTS (SELECT 1 FROM object_noncurrent WHERE bucket = ?1) AS found',
    )
    this.#firstLive = db.prepare(`SELECT ${columns} FROM object_live WHERE bucket = ? LIMIT 1`)
    this.#firstNoncurrent = db.prepare(`SELECT ${columns} FROM object_noncurrent WHERE bucket = ? LIMIT 1`)
    this.#listLive = db.prepare(`SELECT ${columns} FROM object_live WHERE bucket = ? AND name >= ? ORDER BY name`)
    this.#listAll = db.prepare(`SELECT ${columns} FROM object_live WHERE bucket = ?1 AND name >= ?2 AND (name > ?2 OR generation > ?3)
      UNION ALL SELECT ${columns} FROM object_noncurrent WHERE bucket = ?1 AND (name, generation) > (?2, ?3) ORDER BY name, generation`)
  }

  live(bucketId: number, name: string): StoredObject | undefined {
    return toObject(this.#live.get(bucketId, Buffer.from(name)))
  }

  /** One generation of an object, live or not. Without a generation: the live one. */
  find(bucketId: number, name: string, generation: number | undefined): StoredObject | undefined {
    const live = this.live(bucketId, name)
    if (generation === undefined || live?.generation === generation) return live
    return toObject(this.#noncurrent.get(bucketId, Buffer.from(name), generation))
  }

  /** Replaces the row of the same name (live), or of the same name and generation (noncurrent: `deletedMs` is set). */
  put(object: StoredObject): void {
    const statement = object.deletedMs === undefined ? this.#putLive : this.#putNoncurrent
    statement.run(
      object.bucketId, Buffer.from(object.name), object.generation, object.metageneration, object.sizeBytes, object.crc32c,
      object.md5 ?? null, object.createdMs, object.updatedMs, object.deletedMs ?? null, object.componentCount ?? null,
      JSON.stringify(object.blobs), object.attributes,
    ) // prettier-ignore
  }

  remove(object: StoredObject): void {
    if (object.deletedMs === undefined) this.#deleteLive.run(object.bucketId, Buffer.from(object.name))
    else this.#deleteNoncurrent.run(object.bucketId, Buffer.from(object.name), object.generation)
  }

  /** Any generation in the bucket. Undefined for an empty bucket. */
  first(bucketId: number): StoredObject | undefined {
    return toObject(this.#firstLive.get(bucketId) ?? this.#firstNoncurrent.get(bucketId))
  }

  hasAny(bucketId: number): boolean {
    return this.#any.get(bucketId)?.['found'] === 1
  }

  /** Rows from `start` on, in the order of UTF-8 bytes. `read` gives a row's object, so that a skipped row costs less. Iterate within one turn of the event loop. */
  *from(bucketId: number, { name, generation }: ListStart, versions: boolean): Iterable<ListedRow> {
    const rows = versions ? this.#listAll.iterate(bucketId, name, generation ?? -1) : this.#listLive.iterate(bucketId, name)
    for (const row of rows) {
      yield {
        name: bufferOf(row['name'] as Uint8Array),
        generation: row['generation'] as number,
        read: () => toObject(row) as StoredObject,
      }
    }
  }
}

/** The first name to list. With `generation`, only later generations of that name are listed. */
export interface ListStart {
  readonly name: Buffer
  readonly generation: number | undefined
}

export interface ListedRow {
  readonly name: Buffer
  readonly generation: number
  read(): StoredObject
}

function toObject(row: Row | undefined): StoredObject | undefined {
  if (row === undefined) return undefined
  return {
    bucketId: row['bucket'] as number,
    name: bufferOf(row['name'] as Uint8Array).toString(),
    generation: row['generation'] as number,
    metageneration: row['metageneration'] as number,
    sizeBytes: row['size'] as number,
    crc32c: row['crc32c'] as number,
    md5: (row['md5'] as Uint8Array | null) ?? undefined,
    createdMs: row['created_ms'] as number,
    updatedMs: row['updated_ms'] as number,
    deletedMs: (row['deleted_ms'] as number | null) ?? undefined,
    componentCount: (row['components'] as number | null) ?? undefined,
    blobs: JSON.parse(row['blobs'] as string) as number[],
    attributes: row['attributes'] as string,
  }
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}
