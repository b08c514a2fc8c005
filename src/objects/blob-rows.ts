import { createReadStream, statSync } from 'node:fs'
import { Readable } from 'node:stream'
import { CloudError } from '../base/cloud-error.ts'
import type { State } from '../state/state.ts'
import type { BlobFiles } from './blob-files.ts'
import type { Content } from './stored.ts'

/** How many bytes one read of a file asks for. */
const readBytes = 256 << 10

/** The blobs, each with the number of objects that name it. A file with readers is removed when its last reader is done. */
export class BlobRows {
  readonly #files: BlobFiles
  readonly #insert
  readonly #retain
  readonly #release
  readonly #delete
  readonly #head
  readonly #data
  readonly #readers = new Map<string, { count: number; doomed: boolean }>()

  constructor(state: State, files: BlobFiles) {
    this.#files = files
    this.#insert = state.db.prepare('INSERT INTO object_blobs (refs, size, file, data) VALUES (1, ?, ?, ?)')
    this.#retain = state.db.prepare('UPDATE object_blobs SET refs = refs + 1 WHERE id = ?')
    this.#release = state.db.prepare('UPDATE object_blobs SET refs = refs - 1 WHERE id = ? RETURNING refs, file')
    this.#delete = state.db.prepare('DELETE FROM object_blobs WHERE id = ?')
    this.#head = state.db.prepare('SELECT size, file FROM object_blobs WHERE id = ?')
    this.#data = state.db.prepare('SELECT data FROM object_blobs WHERE id = ?')
  }

  /** Counts one more object with this content, and gives the content's blobs. Call within a transaction. */
  take({ sizeBytes, bytes }: Content): readonly number[] {
    if (bytes.kind === 'inline') return [Number(this.#insert.run(sizeBytes, null, bytes.data).lastInsertRowid)]
    if (bytes.kind === 'file') return [Number(this.#insert.run(sizeBytes, bytes.file, null).lastInsertRowid)]
    for (const id of bytes.ids) this.#retain.run(id)
    return bytes.ids
  }

  /** Counts one object less. Gives the files to remove after the commit. Call within a transaction. */
  drop(ids: readonly number[]): readonly string[] {
    const files: string[] = []
    for (const id of ids) {
      const row = this.#release.get(id)
      if (row?.['refs'] !== 0) continue
      this.#delete.run(id)
      if (typeof row['file'] === 'string') files.push(row['file'])
    }
    return files
  }

  async removeFiles(files: readonly string[]): Promise<void> {
    for (const file of files) {
      const readers = this.#readers.get(file)
      if (readers === undefined) await this.#files.remove(file)
      else readers.doomed = true
    }
  }

  /**
   * The bytes from `first` to `last`, both inclusive: at once when a row has them, else as a stream. A file that is open stays readable.
   * @throws CloudError BLOB_GONE when the disk lacks bytes that the rows name
   */
  open(ids: readonly number[], first: number, last: number): Uint8Array | Readable {
    const pieces = [...this.#pieces(ids, first, last)]
    const [only] = pieces
    if (only === undefined) return new Uint8Array(0)
    if (pieces.length === 1 && only.file === undefined) return this.#inline(only)
    const files = pieces.flatMap((piece) => piece.file ?? [])
    for (const file of files) this.#pin(file)
    return Readable.from(this.#stream(pieces), { objectMode: false }).once('close', () => {
      for (const file of files) this.#unpin(file)
    })
  }

  *#pieces(ids: readonly number[], first: number, last: number): Iterable<Piece> {
    let at = 0
    for (const id of ids) {
      const row = this.#head.get(id)
      if (row === undefined) throw gone(`the row ${id} of its bytes is gone`)
      const size = row['size'] as number
      const from = Math.max(first - at, 0)
      const to = Math.min(last - at, size - 1)
      const file = (row['file'] as string | null) ?? undefined
      if (from <= to && file !== undefined) this.#checkFile(file, size)
      if (from <= to) yield { id, file, from, to }
      at += size
      if (at > last) return
    }
  }

  /** Checks the files before the first byte is answered: a client repeats an answer that breaks off later. */
  #checkFile(file: string, sizeBytes: number): void {
    const found = statSync(this.#files.path(file), { throwIfNoEntry: false })
    if (found === undefined) throw gone(`its file objects/${file} is missing`)
    if (found.size < sizeBytes) throw gone(`its file objects/${file} has ${found.size} of ${sizeBytes} bytes`)
  }

  /** Reads small pieces before the first wait, since their rows may go during a wait. */
  #stream(pieces: readonly Piece[]): AsyncIterable<Uint8Array> {
    const sources = pieces.map((piece) => (piece.file === undefined ? [this.#inline(piece)] : { ...piece, file: piece.file }))
    const path = (file: string) => this.#files.path(file)
    return (async function* () {
      for (const source of sources) {
        if (Array.isArray(source)) yield* source
        else yield* createReadStream(path(source.file), { start: source.from, end: source.to, highWaterMark: readBytes })
      }
    })()
  }

  #inline({ id, from, to }: Piece): Uint8Array {
    const data = this.#data.get(id)?.['data']
    return data instanceof Uint8Array ? data.subarray(from, to + 1) : new Uint8Array(0)
  }

  #pin(file: string): void {
    const readers = this.#readers.get(file) ?? { count: 0, doomed: false }
    readers.count += 1
    this.#readers.set(file, readers)
  }

  #unpin(file: string): void {
    const readers = this.#readers.get(file)
    if (readers === undefined || --readers.count > 0) return
    this.#readers.delete(file)
    if (readers.doomed) void this.#files.remove(file)
  }
}

function gone(why: string): CloudError {
  return new CloudError(
    'DATA_LOSS',
    `The bytes of the object are gone from the disk: ${why}.`,
    'devcloud daemon stop, then devcloud fsck',
    {
      fault: 'BLOB_GONE',
    },
  )
}

interface Piece {
  readonly id: number
  readonly file: string | undefined
  readonly from: number
  readonly to: number
}
