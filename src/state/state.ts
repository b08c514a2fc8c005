import { DatabaseSync } from 'node:sqlite'
import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { CloudError, messageOf } from '../base/cloud-error.ts'
import { diskFault } from '../base/disk-fault.ts'
import { lockOwner } from '../base/owners.ts'

/** The one SQLite database of a user. Rooms make their own tables in it with `CREATE TABLE IF NOT EXISTS`. */
export interface State extends AsyncDisposable {
  /** The state directory, mode 0700. */
  readonly directory: string
  /** For reads. They see what `write` did this turn, committed or not. */
  readonly db: DatabaseSync
  /**
   * Runs `work` at once, inside the transaction that all writes of this event-loop turn share, and resolves with its value when that
   * transaction is on disk: acknowledge only then. When `work` throws, only its own writes are undone.
   */
  write<T>(work: (db: DatabaseSync) => T): Promise<T>
  /**
   * Runs `work` and commits it at once without waiting for the disk: for what may be lost with the machine's power, though not by a `kill -9`.
   * Joins the transaction of this turn when there is one.
   */
  jot(work: (db: DatabaseSync) => void): void
}

/**
 * Opens the database in `directory`, which is made when absent, and holds it exclusively until disposed.
 * @throws CloudError STATE_LOCKED when another daemon has it, STATE_UNUSABLE when it cannot be written or read
 */
export function openState(directory: string): State {
  let db: DatabaseSync
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    chmodSync(directory, 0o700)
    const path = join(directory, 'state.db')
    closeSync(openSync(path, 'a', 0o600)) // SQLite gives its write-ahead log the same mode
    chmodSync(path, 0o600)
    db = new DatabaseSync(path, { timeout: 0 })
    db.exec(`PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
      CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID, STRICT;
      INSERT INTO meta VALUES ('opened', '') ON CONFLICT DO UPDATE SET value = excluded.value;`)
  } catch (error) {
    throw unusable(directory, error)
  }
  return new SqliteState(directory, db)
}

class SqliteState implements State {
  readonly directory: string
  readonly db: DatabaseSync
  #turn: { readonly done: Promise<void>; readonly settle: (error?: unknown) => void } | undefined

  constructor(directory: string, db: DatabaseSync) {
    this.directory = directory
    this.db = db
  }

  async write<T>(work: (db: DatabaseSync) => T): Promise<T> {
    const turn = this.#openTurn()
    this.db.exec('SAVEPOINT work')
    let value: T
    try {
      value = work(this.db)
      this.db.exec('RELEASE work')
    } catch (error) {
      this.db.exec('ROLLBACK TO work; RELEASE work')
      throw diskFault(error, this.directory) ?? error
    }
    await turn.done
    return value
  }

  jot(work: (db: DatabaseSync) => void): void {
    if (this.#turn !== undefined) {
      this.write(work).catch(() => {}) // told to those who wait for their writes
      return
    }
    // In WAL mode NORMAL keeps the database whole and syncs at checkpoints alone; it can be set between transactions only.
    this.db.exec('PRAGMA synchronous = NORMAL; BEGIN IMMEDIATE')
    try {
      work(this.db)
      this.db.exec('COMMIT')
    } catch (error) {
      if (this.db.isTransaction) this.db.exec('ROLLBACK')
      throw error
    } finally {
      this.db.exec('PRAGMA synchronous = FULL')
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#turn?.done
    this.db.close()
  }

  #openTurn() {
    if (this.#turn !== undefined) return this.#turn
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    promise.catch(() => {}) // each writer of the turn sees the rejection by its own await
    this.db.exec('BEGIN IMMEDIATE')
    this.#turn = { done: promise, settle: (error) => (error === undefined ? resolve() : reject(error)) }
    setImmediate(() => this.#commit())
    return this.#turn
  }

  #commit(): void {
    const turn = this.#turn
    this.#turn = undefined
    try {
      this.db.exec('COMMIT')
      turn?.settle()
    } catch (error) {
      if (this.db.isTransaction) this.db.exec('ROLLBACK')
      turn?.settle(
        diskFault(error, this.directory) ??
          new CloudError(
            'RESOURCE_EXHAUSTED',
            `The state database could not be written: ${messageOf(error)}.`,
            `Free space on the disk of ${this.directory}.`,
            {
              cause: error,
              fault: 'STATE_UNWRITABLE',
            },
          ),
      )
    }
  }
}

function unusable(directory: string, error: unknown): CloudError {
  const words = messageOf(error)
  if (words.includes('locked')) {
    const winner = lockOwner(join(directory, 'state.db'))
    return new CloudError('FAILED_PRECONDITION', `Another devcloud daemon has ${directory} open.`, 'devcloud daemon status', {
      cause: error,
      fault: 'STATE_LOCKED',
      ...(winner !== undefined && { evidence: [`held by ${winner}`] }),
    })
  }
  const disk = diskFault(error, directory)
  if (disk !== undefined) return disk
  return new CloudError(
    'FAILED_PRECONDITION',
    `The state directory ${directory} cannot be used: ${words}.`,
    'Make it writable for you, or set DEVCLOUD_STATE_DIR to a folder that is.',
    {
      cause: error,
      fault: 'STATE_UNUSABLE',
    },
  )
}
