import { randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock } from '../base/clock.ts'
import { SerialQueues } from '../base/serial-queues.ts'
import { CloudError } from '../base/cloud-error.ts'
import type { State } from '../state/state.ts'
import { appendTo, type BlobFiles } from './blob-files.ts'
import { RunningSums } from './running-sums.ts'
import type { Content } from './stored.ts'

/** A resumable upload. `name`, `request` and `result` are text of the product. */
export interface Upload {
  readonly id: string
  readonly bucketId: number
  readonly name: string
  readonly state: 'open' | 'complete' | 'cancelled'
  readonly file: string
  /** How many bytes are durable on disk. */
  readonly receivedBytes: number
  readonly request: string
  readonly result: string | undefined
}

/** Of a chunk that broke off, a multiple of this many bytes is kept, as Google does. */
const granuleBytes = 256 << 10
/** Source: cloud.google.com/storage/docs/resumable-uploads#session-uris. */
const lifetimeMs = 7 * 24 * 3600 * 1000
const removalEveryMs = 3600 * 1000

/** Resumable uploads. An upload is a file that grows; its offset is durable before a client learns of it, so uploads outlive the daemon. */
export class Uploads implements AsyncDisposable {
  readonly #state: State
  readonly #clock: Clock
  readonly #files: BlobFiles
  /** The sums of uploads whose every byte this daemon has seen. */
  readonly #sums = new Map<string, RunningSums>()
  #lastRemovalMs = -Infinity
  readonly #queues = new SerialQueues()

  constructor(state: State, clock: Clock, files: BlobFiles) {
    this.#state = state
    this.#clock = clock
    this.#files = files
  }

  async start(bucketId: number, name: string, request: string): Promise<Upload> {
    await this.#removeOld()
    const file = await this.#files.create()
    const id = randomBytes(32).toString('base64url')
    await this.#state.write((db) =>
      db
        .prepare("INSERT INTO object_uploads VALUES (?, ?, ?, 'open', ?, 0, ?, NULL, ?)")
        .run(id, bucketId, name, file, request, this.#clock.nowMs()),
    )
    this.#sums.set(id, new RunningSums())
    return this.get(id)
  }

  /** @throws CloudError UPLOAD_NOT_FOUND */
  get(id: string): Upload {
    const row = this.#state.db.prepare('SELECT * FROM object_uploads WHERE id = ?').get(id)
    if (row === undefined) throw uploadNotFound()
    return {
      id,
      bucketId: row['bucket'] as number,
      name: row['name'] as string,
      state: row['state'] as Upload['state'],
      file: row['file'] as string,
      receivedBytes: row['received'] as number,
      request: row['request'] as string,
      result: (row['result'] as string | null) ?? undefined,
    }
  }

  /** Runs the work on one upload one after another. */
  exclusively<T>(id: string, work: () => Promise<T>): Promise<T> {
    return this.#queues.run(id, work)
  }

  /**
   * Adds bytes. When `source` breaks off, a multiple of 256 KiB of its bytes is kept, and the error is thrown.
   * @param isLast whether this chunk is the last; of any other chunk a multiple of 256 KiB is kept
   */
  async append(upload: Upload, source: AsyncIterable<Uint8Array>, isLast: boolean): Promise<Upload> {
    const sums = this.#sums.get(upload.id)
    this.#sums.delete(upload.id)
    const handle = await open(this.#files.path(upload.file), 'r+').catch(fileGone)
    let writtenBytes = 0
    let ended = false
    try {
      const summed = sums === undefined ? source : passing(source, sums)
      await appendTo(handle, upload.receivedBytes, summed, this.#files.disk, (sizeBytes) => (writtenBytes = sizeBytes))
      ended = true
    } catch (error) {
      throw this.#files.disk.fault(error)
    } finally {
      await this.#sync(handle)
      const whole = upload.receivedBytes + writtenBytes
      const kept = ended && isLast ? whole : Math.max(upload.receivedBytes, whole - (whole % granuleBytes))
      if (sums !== undefined && sums.sizeBytes === kept) this.#sums.set(upload.id, sums)
      await this.#state.write((db) => db.prepare('UPDATE object_uploads SET received = ? WHERE id = ?').run(kept, upload.id))
    }
    return this.get(upload.id)
  }

  /** The received bytes, ready for `ObjectStore.put`. Sums that a restart lost are computed from the file again. */
  async content(upload: Upload): Promise<Content> {
    let sums = this.#sums.get(upload.id)
    if (sums === undefined) {
      sums = new RunningSums()
      if (upload.receivedBytes > 0) {
        const stream = createReadStream(this.#files.path(upload.file), { end: upload.receivedBytes - 1, highWaterMark: granuleBytes })
        try {
          for await (const chunk of stream) sums.add(chunk as Uint8Array)
        } catch (error) {
          fileGone(error)
        }
      }
    }
    return { ...sums.read(), bytes: { kind: 'file', file: upload.file } }
  }

  /** Ends the upload. Call within the transaction that makes the object. @throws CloudError UPLOAD_NOT_FOUND when the bucket was removed meanwhile */
  complete(id: string, result: string): void {
    this.#sums.delete(id)
    const done = this.#state.db.prepare("UPDATE object_uploads SET state = 'complete', file = '', result = ? WHERE id = ?").run(result, id)
    if (done.changes === 0) throw uploadNotFound()
  }

  /** Forgets all uploads of a bucket. Gives the files to remove after the commit. Call within a transaction. */
  drop(bucketId: number): readonly string[] {
    const gone = this.#state.db.prepare('DELETE FROM object_uploads WHERE bucket = ? RETURNING id, file').all(bucketId)
    for (const { id } of gone) this.#sums.delete(id as string)
    return gone.flatMap(({ file }) => (file === '' ? [] : [file as string]))
  }

  async cancel(upload: Upload): Promise<void> {
    this.#sums.delete(upload.id)
    await this.#state.write((db) => db.prepare("UPDATE object_uploads SET state = 'cancelled', file = '' WHERE id = ?").run(upload.id))
    await this.#files.remove(upload.file)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queues.settled()
  }

  async #sync(handle: FileHandle): Promise<void> {
    try {
      await handle.datasync()
    } catch (error) {
      throw this.#files.disk.fault(error)
    } finally {
      await handle.close()
    }
  }

  /** Removes expired uploads, at most once an hour. */
  async #removeOld(): Promise<void> {
    if (this.#clock.ticksMs() - this.#lastRemovalMs < removalEveryMs) return
    this.#lastRemovalMs = this.#clock.ticksMs()
    // Uploads outlive daemons, so the wall clock decides: a step ahead by a week ends every upload, a step back keeps uploads longer.
    const before = this.#clock.nowMs() - lifetimeMs
    const page = this.#state.db.prepare('SELECT id, file, created_ms FROM object_uploads WHERE id > ? ORDER BY id LIMIT 500')
    for (let rows = page.all(''); rows.length > 0; rows = page.all(rows.at(-1)?.['id'] as string)) {
      for (const { id, file, created_ms: createdMs } of rows) {
        if ((createdMs as number) >= before) continue
        await this.#state.write((db) => db.prepare('DELETE FROM object_uploads WHERE id = ?').run(id as string))
        if (file !== '') await this.#files.remove(file as string)
      }
      await nextTurn()
    }
  }
}

/** The file of an upload is gone. Clients begin a new session then. */
function fileGone(error: unknown): never {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  throw new CloudError('NOT_FOUND', 'The bytes of this upload session are gone from the disk.', 'Start a new resumable upload.', {
    cause: error,
    fault: 'UPLOAD_NOT_FOUND',
  })
}

async function* passing(source: AsyncIterable<Uint8Array>, sums: RunningSums) {
  for await (const chunk of source) {
    sums.add(chunk)
    yield chunk
  }
}

export function uploadNotFound(): CloudError {
  return new CloudError('NOT_FOUND', 'No such upload session.', 'Start a new resumable upload.', { fault: 'UPLOAD_NOT_FOUND' })
}
