import type { DatabaseSync } from 'node:sqlite'
import { mkdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { syncDirectory } from '../base/write-whole.ts'
import type { ObjectFault } from './check-objects.ts'

/**
 * Removes objects without bytes from the index, and files without a row from `objects/`. Deletes nothing: files go to `lost`, and `keepRow` gets
 * each removed row. Call within a transaction, and call the returned function after the commit: it moves the files.
 */
export function repairObjects(
  db: DatabaseSync,
  directory: string,
  lost: string,
  faults: readonly ObjectFault[],
  keepRow: (table: string, row: object) => void,
): () => void {
  const files = new Set(faults.flatMap((fault) => (fault.kind === 'orphan' ? [fault.file] : [])))
  for (const fault of faults) {
    if (fault.kind === 'object') {
      const { table, bucketId, name, generation } = fault.object
      const where = 'bucket = ? AND name = ? AND generation = ?'
      const row = db.prepare(`DELETE FROM ${table} WHERE ${where} RETURNING *`).get(bucketId, Buffer.from(name), generation)
      if (row !== undefined) keepRow(table, { ...row, name })
    }
    if (fault.kind === 'upload') {
      const row = db.prepare('DELETE FROM object_uploads WHERE id = ? RETURNING *').get(fault.id)
      if (row !== undefined) keepRow('object_uploads', row)
      if (typeof row?.['file'] === 'string') files.add(row['file'])
    }
  }
  for (const file of countAgain(db)) files.add(file)
  return () => moveFiles([...files], join(directory, 'objects'), join(lost, 'objects'))
}

/** Sets the number of objects of each blob. Gives the files of blobs without an object. */
function countAgain(db: DatabaseSync): readonly string[] {
  db.exec(`CREATE TEMP TABLE counted (id INTEGER PRIMARY KEY, refs INTEGER NOT NULL);
    INSERT INTO counted SELECT one.value, count(*)
      FROM (SELECT blobs FROM object_live UNION ALL SELECT blobs FROM object_noncurrent) AS objects, json_each(objects.blobs) AS one GROUP BY 1;
    UPDATE object_blobs SET refs = coalesce((SELECT refs FROM counted WHERE counted.id = object_blobs.id), 0);
    DROP TABLE counted`)
  return db
    .prepare('DELETE FROM object_blobs WHERE refs = 0 RETURNING file')
    .all()
    .flatMap(({ file }) => (typeof file === 'string' ? [file] : []))
}

function moveFiles(files: readonly string[], from: string, to: string): void {
  if (files.length === 0) return
  mkdirSync(to, { recursive: true, mode: 0o700 })
  for (const file of files) {
    try {
      renameSync(join(from, file), join(to, file))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  syncDirectory(to)
  syncDirectory(from)
}
