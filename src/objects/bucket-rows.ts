import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import type { StoredBucket } from './stored.ts'

export interface BucketPage {
  readonly items: readonly StoredBucket[]
  readonly hasMore: boolean
}

/** Of attributes. */
const pageLimitChars = 2 << 20

/** The rows of buckets. Call the changing methods within `state.write`. */
export class BucketRows {
  readonly #byName
  readonly #list
  readonly #projects
  readonly #insert
  readonly #update
  readonly #delete

  constructor(db: DatabaseSync) {
    this.#byName = db.prepare('SELECT * FROM object_buckets WHERE name = ?')
    this.#list = db.prepare('SELECT * FROM object_buckets WHERE project = ? AND name > ? AND name >= ? ORDER BY name LIMIT ?')
    this.#projects = db.prepare('SELECT DISTINCT project FROM object_buckets')
    this.#insert = db.prepare(`INSERT INTO object_buckets
      (name, project, generation, metageneration, created_ms, updated_ms, versioned, attributes) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`)
    this.#update = db.prepare('UPDATE object_buckets SET metageneration = ?, updated_ms = ?, versioned = ?, attributes = ? WHERE id = ?')
    this.#delete = db.prepare('DELETE FROM object_buckets WHERE id = ?')
  }

  projects(): readonly string[] {
    return this.#projects.all().map((row) => row['project'] as string)
  }

  find(name: string): StoredBucket | undefined {
    const row = this.#byName.get(name)
    return row === undefined ? undefined : toBucket(row)
  }

  /** Buckets by name: those that start with `prefix`, after the name `after`. A page of large buckets may have fewer than `limit`. */
  list(project: string, prefix: string, after: string, limit: number): BucketPage {
    const items: StoredBucket[] = []
    let chars = 0
    for (const row of this.#list.iterate(project, after, prefix, limit + 1)) {
      const bucket = toBucket(row)
      if (!bucket.name.startsWith(prefix)) break
      if (items.length === limit || chars > pageLimitChars) return { items, hasMore: true }
      items.push(bucket)
      chars += bucket.attributes.length
    }
    return { items, hasMore: false }
  }

  insert(bucket: Omit<StoredBucket, 'id'>): StoredBucket {
    const { name, project, generation, metageneration, createdMs, updatedMs, versioned, attributes } = bucket
    const { lastInsertRowid } = this.#insert.run(
      name, project, generation, metageneration, createdMs, updatedMs, versioned ? 1 : 0, attributes,
    ) // prettier-ignore
    return { ...bucket, id: Number(lastInsertRowid) }
  }

  update({ id, metageneration, updatedMs, versioned, attributes }: StoredBucket): void {
    this.#update.run(metageneration, updatedMs, versioned ? 1 : 0, attributes, id)
  }

  remove(bucket: StoredBucket): void {
    this.#delete.run(bucket.id)
  }
}

function toBucket(row: Record<string, SQLOutputValue>): StoredBucket {
  return {
    id: row['id'] as number,
    name: row['name'] as string,
    project: row['project'] as string,
    generation: row['generation'] as number,
    metageneration: row['metageneration'] as number,
    createdMs: row['created_ms'] as number,
    updatedMs: row['updated_ms'] as number,
    versioned: row['versioned'] === 1,
    attributes: row['attributes'] as string,
  }
}
