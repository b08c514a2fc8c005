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

/** A resumable upload. `name`, `request` and `result` are text of the product's own making. */
export interface Upload {
  readonly id: string
  readonly bucketId: number
  readonly name: string
  readonly state: 'open' | 'complete' | 'cancelled'
  readonly file: string
  /** How many bytes are on disk and will stay there. */
  readonly receivedBytes: number
  readonly request: string
  readonly result: string | undefined
}

/** Bytes that are kept of a chunk that broke off come in multiples of this, as Google's do. */
const granuleBytes = 256 << 10
/** Source: cloud.google.com/storage/docs/resumable-uploads#session-uris. */
const lifetimeMs = 7 * 24 * 3600 * 1000
const removalEveryMs = 3600 * 1000

/** Resumable uploads: growing files whose offset is on disk before it is told, so that they outlive the daemon. */
export class Uploads implements AsyncDisposable {
  readonly #state: State
  readonly #clock: Clock
  readonly #files: BlobFiles
  /** Sums of uploads that this daemon has seen from their first byte on. */
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

  /** Runs one after another what is done to one upload. */
  exclusively<T>(id: string, work: () => Promise<T>): Promise<T> {
    return this.#queues.run(id, work)
  }

  /**
   * Adds bytes. When `source` breaks off, what came is kept to a multiple of 256 KiB, and the error goes on.
   * @param isLast whether no byte follows; else only a multiple of 256 KiB is kept
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

  /** What was received, ready for `ObjectStore.put`; sums that a restart lost are taken from the file again. */
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

  /** Within the transaction that makes the object. @throws CloudError UPLOAD_NOT_FOUND when the bucket went meanwhile, and the file with it */
  complete(id: string, result: string): void {
    this.#sums.delete(id)
    const done = this.#state.db.prepare("UPDATE object_uploads SET state = 'complete', file = '', result = ? WHERE id = ?").run(result, id)
    if (done.changes === 0) throw uploadNotFound()
  }

  /** Within a transaction: forgets all uploads of a bucket. Answers the files to remove once that has committed. */
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

  /** Once an hour at most. Sessions end by the wall clock, as they do over restarts: one that steps forward by a week ends all. */
  async #removeOld(): Promise<void> {
    if (this.#clock.ticksMs() - this.#lastRemovalMs < removalEveryMs) return
    this.#lastRemovalMs = this.#clock.ticksMs()
    // By the wall, as sessions outlive daemons: a clock that leaps ahead by a week ends them, one that is set back keeps them longer.
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

/** Clients answer it with a new session. */
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
