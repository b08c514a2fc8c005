import { AsyncLocalStorage } from 'node:async_hooks'
import type { DatabaseSync } from 'node:sqlite'
import { chmodSync, mkdirSync } from 'node:fs'
import { systemClock, type Clock } from '../base/clock.ts'
import { CloudError, messageOf } from '../base/cloud-error.ts'
import { Disk } from './disk.ts'
import { stateTables, type Migration } from './migrations.ts'
import { openDatabase } from './open-database.ts'
import { unusable } from './state-faults.ts'

/** The one SQLite database of a user. Rooms declare their tables in it as migrations. */
export interface State extends AsyncDisposable {
  /** The state directory, mode 0700. */
  readonly directory: string
  /** False when this is an older copy: what stands in the directory and not in here is then no garbage, and nothing may be swept. */
  readonly knowsDirectory: boolean
  readonly disk: Disk
  /** For reads. They see what `write` did this turn, committed or not. */
  readonly db: DatabaseSync
  /**
   * Runs `work` at once, inside the transaction that all writes of this event-loop turn share, and resolves with its value when that
   * transaction is on disk: acknowledge only then. When `work` throws, only its own writes are undone.
   * @throws CloudError DISK_FULL for one who adds on a full disk, DISK_FAILED
   */
  write<T>(work: (db: DatabaseSync) => T): Promise<T>
  /**
   * Runs `work`, and all that goes on from it, as one who adds: its first write is refused while the disk is full. What has begun is not
   * refused later. Outside of it every write is tried: deletes, and the daemon's own.
   */
  adding<T>(work: () => T): T
  /**
   * Runs `work` and commits it at once without waiting for the disk: for what may be lost with the machine's power, though not by a `kill -9`.
   * Joins the transaction of this turn when there is one. Left out while the disk is full.
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

  /** On a full disk the write-ahead log begins at its front again, and soon does so each time: bytes that it has need no room. */
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
