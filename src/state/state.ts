import type { DatabaseSync } from 'node:sqlite'
import { chmodSync, mkdirSync } from 'node:fs'
import { systemClock, type Clock } from '../base/clock.ts'
import { CloudError, messageOf } from '../base/cloud-error.ts'
import { diskFault } from '../base/disk-fault.ts'
import { stateTables, type Migration } from './migrations.ts'
import { openDatabase } from './open-database.ts'
import { unusable } from './state-faults.ts'

/** The one SQLite database of a user. Rooms declare their tables in it as migrations. */
export interface State extends AsyncDisposable {
  /** The state directory, mode 0700. */
  readonly directory: string
  /** False when this is an older copy: what stands in the directory and not in here is then no garbage, and nothing may be swept. */
  readonly knowsDirectory: boolean
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
 * Opens the database in `directory`, which is made when absent, brings it to the newest schema, and holds it exclusively until disposed.
 * @param migrations the steps of all rooms, in the order of the house
 * @throws CloudError STATE_LOCKED when another daemon has it, STATE_UNUSABLE when it cannot be written or read, STATE_DAMAGED, STATE_NEWER
 *   when a later version wrote it, STATE_UNKNOWN when it is new and its directory is not: in each case nothing was changed
 */
export function openState(directory: string, migrations: readonly Migration[], clock: Clock = systemClock): State {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    chmodSync(directory, 0o700)
    const { db, knowsDirectory } = openDatabase(directory, [stateTables, ...migrations], clock)
    return new SqliteState(directory, db, knowsDirectory)
  } catch (error) {
    throw unusable(directory, error)
  }
}

class SqliteState implements State {
  readonly directory: string
  readonly db: DatabaseSync
  readonly knowsDirectory: boolean
  #turn: { readonly done: Promise<void>; readonly settle: (error?: unknown) => void } | undefined

  constructor(directory: string, db: DatabaseSync, knowsDirectory: boolean) {
    this.directory = directory
    this.db = db
    this.knowsDirectory = knowsDirectory
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
