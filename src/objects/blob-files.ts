import { randomBytes } from 'node:crypto'
import { mkdir, open, readdir, rename, rm, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Disk } from '../state/disk.ts'
import { RunningSums } from './running-sums.ts'
import type { Content } from './stored.ts'

/** The largest body, in bytes, that is kept in the database. */
const inlineLimitBytes = 32 << 10
/** How many bytes are gathered for one write. */
const writeBytes = 512 << 10

/** Write-once files with random ids as names, in one directory. The bytes of every readable file are synced. */
export class BlobFiles {
  readonly directory: string
  readonly disk: Disk
  #syncing: Promise<void> | undefined
  #nextSync: Promise<void> | undefined

  constructor(directory: string, disk: Disk) {
    this.directory = directory
    this.disk = disk
  }

  path(file: string): string {
    return join(this.directory, file)
  }

  /** Makes the directory when it is absent. */
  async make(): Promise<void> {
    const made = await mkdir(this.directory, { recursive: true, mode: 0o700 })
    if (made !== undefined) await fsyncDirectory(dirname(made))
  }

  /** Removes the files that a killed daemon left: those for which `isKept` is false. */
  async sweep(isKept: (file: string) => boolean): Promise<void> {
    for (const file of await readdir(this.directory)) if (!isKept(file)) await this.remove(file)
  }

  /** Takes a body, with back-pressure: in memory up to 32 KiB, else as a synced file. @throws what `source` throws; then nothing is left */
  async stage(source: AsyncIterable<Uint8Array>): Promise<Content> {
    const sums = new RunningSums()
    const chunks: Uint8Array[] = []
    const iterator = source[Symbol.asyncIterator]()
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
      sums.add(next.value)
      chunks.push(next.value)
      if (sums.sizeBytes > inlineLimitBytes) return this.#stageFile(sums, chunks, iterator)
    }
    return { ...sums.read(), bytes: { kind: 'inline', data: Buffer.concat(chunks) } }
  }

  /** Makes an empty file whose name outlives a power cut. @throws CloudError DISK_FULL */
  async create(): Promise<string> {
    this.disk.demand()
    const file = randomBytes(16).toString('hex')
    try {
      const handle = await open(this.path(file), 'wx', 0o600)
      await handle.close()
      await this.syncDirectory()
    } catch (error) {
      throw this.disk.fault(error)
    }
    return file
  }

  async remove(file: string): Promise<void> {
    await rm(this.path(file), { force: true })
  }

  /** Syncs the directory. One sync serves every caller that asked before the sync began. */
  async syncDirectory(): Promise<void> {
    if (this.#syncing === undefined) {
      this.#syncing = fsyncDirectory(this.directory).finally(() => (this.#syncing = undefined))
      return this.#syncing
    }
    this.#nextSync ??= this.#syncing
      .catch(() => {})
      .then(() => {
        this.#nextSync = undefined
        return this.syncDirectory()
      })
    return this.#nextSync
  }

  async #stageFile(sums: RunningSums, gathered: readonly Uint8Array[], rest: AsyncIterator<Uint8Array>): Promise<Content> {
    const file = randomBytes(16).toString('hex')
    const temporary = `${file}.part`
    this.disk.demand(sums.sizeBytes)
    try {
      const handle = await open(this.path(temporary), 'wx', 0o600)
      try {
        await appendTo(handle, 0, startingWith(gathered, rest, sums), this.disk)
        await handle.datasync()
      } finally {
        await handle.close()
      }
      await rename(this.path(temporary), this.path(file))
      await this.syncDirectory()
    } catch (error) {
      await this.remove(temporary)
      throw this.disk.fault(error)
    }
    return { ...sums.read(), bytes: { kind: 'file', file } }
  }
}

/**
 * Writes `source` at `position` and gathers the next bytes while a write is under way. Gives the number of bytes written. When `source` throws, the
 * bytes before the fault are written first and `written` is called with their number. A full disk is noticed here, before SQLite needs room.
 * @throws CloudError DISK_FULL
 */
export async function appendTo(
  handle: FileHandle,
  position: number,
  source: AsyncIterable<Uint8Array>,
  disk: Disk,
  written: (sizeBytes: number) => void = () => {},
): Promise<void> {
  let gathered: Uint8Array[] = []
  let size = 0
  let at = position
  let writing: Promise<unknown> = Promise.resolve()
  const flush = async () => {
    await writing
    if (size > 0) disk.demand(size)
    writing = writeAll(handle, gathered, at)
    writing.catch(() => {}) // awaited before the next write
    at += size
    gathered = []
    size = 0
  }
  try {
    for await (const chunk of source) {
      gathered.push(chunk)
      size += chunk.length
      if (size >= writeBytes) await flush()
    }
  } finally {
    await flush()
    await writing
    written(at - position)
  }
}

async function writeAll(handle: FileHandle, chunks: readonly Uint8Array[], position: number): Promise<void> {
  const data = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)
  for (let done = 0; done < data.length;) {
    const { bytesWritten } = await handle.write(data, done, data.length - done, position + done)
    done += bytesWritten
  }
}

async function* startingWith(gathered: readonly Uint8Array[], rest: AsyncIterator<Uint8Array>, sums: RunningSums) {
  yield* gathered
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) {
    sums.add(next.value)
    yield next.value
  }
}

async function fsyncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
