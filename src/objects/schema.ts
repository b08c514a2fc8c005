import type { Migration } from '../state/migrations.ts'

const objectColumns = `bucket INTEGER NOT NULL, name BLOB NOT NULL, generation INTEGER NOT NULL, metageneration INTEGER NOT NULL,
  size INTEGER NOT NULL, crc32c INTEGER NOT NULL, md5 BLOB, created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL, deleted_ms INTEGER,
  components INTEGER, blobs TEXT NOT NULL, attributes TEXT NOT NULL`

/**
 * The object index. Names are BLOBs, so that SQLite orders them by UTF-8 bytes. `object_live` has the live generations, `object_noncurrent` the
 * older generations of versioned buckets. `blobs` is a JSON list of ids in `object_blobs`: an object's bytes are these blobs, one after another,
 * and a copy or a composition shares them. A blob's bytes are in `data`, or in the write-once file `file`.
 */
export const objectTables: Migration = {
  name: 'tables of objects',
  run: (db) =>
    db.exec(`
    CREATE TABLE IF NOT EXISTS object_buckets (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, project TEXT NOT NULL,
      generation INTEGER NOT NULL, metageneration INTEGER NOT NULL, created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL,
      versioned INTEGER NOT NULL, attributes TEXT NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS object_live (${objectColumns}, PRIMARY KEY (bucket, name)) WITHOUT ROWID, STRICT;
    CREATE TABLE IF NOT EXISTS object_noncurrent (${objectColumns}, PRIMARY KEY (bucket, name, generation)) WITHOUT ROWID, STRICT;
    CREATE TABLE IF NOT EXISTS object_blobs (id INTEGER PRIMARY KEY, refs INTEGER NOT NULL, size INTEGER NOT NULL, file TEXT, data BLOB) STRICT;
    CREATE TABLE IF NOT EXISTS object_uploads (id TEXT PRIMARY KEY, bucket INTEGER NOT NULL, name TEXT NOT NULL, state TEXT NOT NULL,
      file TEXT NOT NULL, received INTEGER NOT NULL, request TEXT NOT NULL, result TEXT, created_ms INTEGER NOT NULL) WITHOUT ROWID, STRICT;`),
}
