import type { DatabaseSync } from 'node:sqlite'
import { createReadStream, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { crc32c } from '../base/crc32c.ts'

/** A fault of the objects in a state directory. A `blob` holds the bytes of an object or of a part of an object: a file, or a row. */
export type ObjectFault =
  | { readonly kind: 'object'; readonly why: string; readonly object: FaultyObject }
  | { readonly kind: 'orphan'; readonly why: string; readonly file: string }
  | { readonly kind: 'upload'; readonly why: string; readonly id: string; readonly name: string }
  | { readonly kind: 'count'; readonly why: string; readonly blob: number; readonly refs: number }

interface FaultyObject {
  readonly table: 'object_live' | 'object_noncurrent'
  readonly bucketId: number
  readonly bucket: string
  readonly name: string
  readonly generation: number
}

interface Blob {
  readonly size: number
  readonly file: string | null
  readonly inlineBytes: number | null
  readonly refs: number
}

/** Reads every row and every byte of the objects in `directory`. Changes nothing. */
export async function checkObjects(db: DatabaseSync, directory: string): Promise<readonly ObjectFault[]> {
  const folder = join(directory, 'objects')
  const files = sizesOf(folder)
  const blobs = readBlobs(db)
  const faults: ObjectFault[] = []
  const refs = new Map<number, number>()
  const kept = new Set([...blobs.values()].flatMap(({ file }) => file ?? []))
  for (const { object, ids, size, crc } of readObjects(db)) {
    const why = whyBlobsLack(ids, size, blobs, files) ?? (await whyBytesDiffer(db, folder, ids, blobs, crc))
    if (why !== undefined) faults.push({ kind: 'object', why, object })
    for (const id of ids) refs.set(id, (refs.get(id) ?? 0) + 1)
  }
  for (const [blob, { refs: told }] of blobs) {
    const counted = refs.get(blob) ?? 0
    if (told !== counted) faults.push({ kind: 'count', why: `${counted} objects have it, not ${told}`, blob, refs: counted })
  }
  for (const upload of db.prepare("SELECT id, name, file, received FROM object_uploads WHERE state = 'open'").all()) {
    const { id, name, file, received } = upload as { id: string; name: string; file: string; received: number }
    kept.add(file)
    const size = files.get(file)
    if (size === undefined) faults.push({ kind: 'upload', why: `its file ${file} is gone`, id, name })
    else if (size < received) faults.push({ kind: 'upload', why: `its file has ${size} of ${received} bytes`, id, name })
  }
  for (const file of files.keys()) {
    if (file.endsWith('.part')) faults.push({ kind: 'orphan', why: 'a part of an upload that broke off', file })
    else if (!kept.has(file)) faults.push({ kind: 'orphan', why: 'no object has it', file })
  }
  return faults
}

function whyBlobsLack(
  ids: readonly number[],
  sizeBytes: number,
  blobs: ReadonlyMap<number, Blob>,
  files: ReadonlyMap<string, number>,
): string | undefined {
  let total = 0
  for (const id of ids) {
    const blob = blobs.get(id)
    if (blob === undefined) return `the row ${id} of its bytes is gone`
    const { size, file, inlineBytes } = blob
    const found = file === null ? inlineBytes : files.get(file)
    if (found === undefined || found === null) return file === null ? `its bytes are gone from the row ${id}` : `its file ${file} is gone`
    if (found !== size) return `${file === null ? `the row ${id}` : `its file ${file}`} has ${found} of ${size} bytes`
    total += size
  }
  return total === sizeBytes ? undefined : `it has ${total} of ${sizeBytes} bytes`
}

async function whyBytesDiffer(
  db: DatabaseSync,
  folder: string,
  ids: readonly number[],
  blobs: ReadonlyMap<number, Blob>,
  wanted: number,
): Promise<string | undefined> {
  const data = db.prepare('SELECT data FROM object_blobs WHERE id = ?')
  let sum = 0
  try {
    for (const id of ids) {
      const file = blobs.get(id)?.file ?? null
      const bytes = file === null ? [data.get(id)?.['data'] as Uint8Array] : createReadStream(join(folder, file))
      for await (const chunk of bytes) sum = crc32c(chunk as Uint8Array, sum)
    }
  } catch (error) {
    return `its bytes cannot be read: ${(error as Error).message}`
  }
  return sum === wanted ? undefined : 'its bytes are not those that were stored: the checksum differs'
}

function readBlobs(db: DatabaseSync): ReadonlyMap<number, Blob> {
  const rows = db.prepare('SELECT id, size, file, length(data) AS inlineBytes, refs FROM object_blobs').all()
  return new Map(rows.map(({ id, ...blob }) => [id as number, blob as unknown as Blob]))
}

function* readObjects(db: DatabaseSync) {
  const buckets = new Map(
    db
      .prepare('SELECT id, name FROM object_buckets')
      .all()
      .map(({ id, name }) => [id, name as string]),
  )
  for (const table of ['object_live', 'object_noncurrent'] as const) {
    const rows = db.prepare(`SELECT bucket, name, generation, size, crc32c, blobs FROM ${table} ORDER BY bucket, name`)
    for (const row of rows.iterate()) {
      const bucketId = row['bucket'] as number
      const name = Buffer.from(row['name'] as Uint8Array).toString()
      const object: FaultyObject = {
        table,
        bucketId,
        bucket: buckets.get(bucketId) ?? `(bucket ${bucketId})`,
        name,
        generation: row['generation'] as number,
      }
      yield { object, ids: readIds(row['blobs'] as string), size: row['size'] as number, crc: row['crc32c'] as number }
    }
  }
}

/** The ids of an object's blobs. A damaged row gives an id that no blob has. */
function readIds(text: string): readonly number[] {
  try {
    return JSON.parse(text) as number[]
  } catch {
    return [-1]
  }
}

function sizesOf(folder: string): ReadonlyMap<string, number> {
  try {
    return new Map(readdirSync(folder).map((file) => [file, statSync(join(folder, file)).size]))
  } catch {
    return new Map()
  }
}
