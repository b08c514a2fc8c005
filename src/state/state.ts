import { AsyncLocalStorage } from 'node:async_hooks'
import type { DatabaseSync } from 'node:sqlite'
import { chmodSync, mkdirSync } from 'node:fs'
import { systemClock, type Clock } from '../base/clock.ts'
import { CloudError, messageOf } from '../base/cloud-error.ts'
import { Disk } from './disk.ts'
import { stateTables, type Migration } from './migrations.ts'
import { openDatabase } from './open-database.ts'
import { unusable } from './state-faults.ts'

/** The one SQLite database of a user. Rooms declare their tables as migrations. */
export interface State extends AsyncDisposable {
  /** The state directory, mode 0700. */
  readonly directory: string
  /** False when the database is an older copy of the directory's. Then files that the database does not know are no garbage, and nothing may be removed. */
  readonly knowsDirectory: boolean
  readonly disk: Disk
  /** The database, for reads. A read sees the writes of this turn, committed or not. */
  readonly db: DatabaseSync
  /**
   * Runs `work` at once, in the transaction that all writes of this turn of the event loop share. Resolves with the value of `work` when the transaction is on
   * disk: acknowledge only then. When `work` throws, only its own writes are undone.
   * @throws CloudError DISK_FULL for a call inside `adding` on a full disk, DISK_FAILED
   */
  write<T>(work: (db: DatabaseSync) => T): Promise<T>
  /**
   * Runs `work`, and everything that continues from it, as a call that adds data: its first write is refused while the disk is full, later writes are not.
   * A write outside `adding` is always tried: deletes, and the daemon's own writes.
   */
  adding<T>(work: () => T): T
  /**
   * Runs `work` and commits without waiting for the disk: for data that a power cut may lose and a `kill -9` may not. Joins the transaction of this turn if
   * one is open. Does nothing while the disk is full.
   */
  jot(work: (db: DatabaseSync) => void): void
}

/**
 * Opens the database in `directory`, makes `directory` if it is absent, brings the database to the newest schema, and locks it until it is disposed.
 * @param migrations the steps of all rooms, in the order of the house
 * @throws CloudError STATE_LOCKED when another daemon has it, STATE_UNUSABLE when it cannot be written or read, STATE_DAMAGED, STATE_NEWER
 *   when a later version wrote it, STATE_UNKNOWN when the database is new and its directory is not: in each case nothing was changed
 */
export function openState(directory: string, migrations: readonly Migration[], clock: Clock = systemClock): State {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    chmodSync(directory, 0o700)
    const disk = new Disk(directory) // gives up the ballast of a full disk before SQLite needs room
    const { db, knowsDirectory } = openDatabase(directory, [stateTables, ...migrations], clock)
    return new SqliteState(disk, db, knowsDirectory)
  } catch (error) {
    throw unusable(directory, error)
  }
}

class SqliteState implements State {
  readonly directory: string
  readonly db: DatabaseSync
  readonly knowsDirectory: boolean
  readonly disk: Disk
  readonly #adders = new AsyncLocalStorage<{ isAdmitted: boolean }>()
  #turn: { readonly done: Promise<void>; readonly settle: (error?: unknown) => void } | undefined

  constructor(disk: Disk, db: DatabaseSync, knowsDirectory: boolean) {
    this.disk = disk
    this.directory = disk.directory
    this.db = db
    this.knowsDirectory = knowsDirectory
    disk.onFault(({ fault }) => fault === 'DISK_FULL' && this.#turnLogOver())
  }

  adding<T>(work: () => T): T {
    return this.#adders.run({ isAdmitted: false }, work)
  }

  async write<T>(work: (db: DatabaseSync) => T): Promise<T> {
    this.#admit()
    const turn = this.#openTurn()
    let value: T
    try {
      this.db.exec('SAVEPOINT work')
      value = work(this.db)
      this.db.exec('RELEASE work')
    } catch (error) {
      this.#undo(error)
      throw this.disk.fault(error)
    }
    await turn.done
    return value
  }

  jot(work: (db: DatabaseSync) => void): void {
    if (this.disk.isScarce) return
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
      throw this.disk.fault(error)
    } finally {
      this.db.exec('PRAGMA synchronous = FULL')
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    while (this.#turn !== undefined) await this.#turn.done.catch(() => {})
    this.db.close()
    this.disk.leave()
  }

  /** @throws CloudError DISK_FULL, DISK_FAILED */
  #admit(): void {
    this.disk.demandWorking()
    const adder = this.#adders.getStore()
    if (adder === undefined || adder.isAdmitted) return this.disk.look()
    this.disk.demand()
    adder.isAdmitted = true
  }

  /** On a full disk, makes the write-ahead log begin at its front again, where its bytes need no new room. */
  #turnLogOver(): void {
    this.db.exec('PRAGMA wal_autocheckpoint = 100')
    try {
      this.db.exec('PRAGMA wal_checkpoint(RESTART)')
    } catch {
      // a transaction is open: the next checkpoint does it
    }
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

  /** After a full or failing disk SQLite may have rolled all of the turn back by itself: then every writer of it is told. */
  #undo(error: unknown): void {
    if (this.db.isTransaction) return this.db.exec('ROLLBACK TO work; RELEASE work')
    this.#turn?.settle(this.#unwritten(error))
    this.#turn = undefined
  }

  #commit(): void {
    const turn = this.#turn
    if (turn === undefined) return
    this.#turn = undefined
    try {
      this.db.exec('COMMIT')
      turn.settle()
    } catch (error) {
      if (this.db.isTransaction) this.db.exec('ROLLBACK')
      turn.settle(this.#unwritten(error))
    }
  }

  #unwritten(error: unknown): unknown {
    const told = this.disk.fault(error)
    if (told instanceof CloudError) return told
    return new CloudError(
      'INTERNAL',
      `The state database could not be written: ${messageOf(error)}.`,
      'devcloud daemon stop && devcloud fsck',
      {
        cause: error,
        fault: 'STATE_UNWRITABLE',
      },
    )
  }
}
