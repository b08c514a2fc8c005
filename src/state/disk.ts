import { CloudError } from '../base/cloud-error.ts'
import { diskFault, fullDisk } from '../base/disk-fault.ts'
import { diskSpace } from '../base/disk-space.ts'
import { Ballast } from './ballast.ts'
import { ballastBytesFor, isScarceNow, leastBytesFor } from './decide-room.ts'

/** The least time in ms between two looks at the disk during small writes. */
const lookMs = 50
/** How long in ms the ballast stays away after it was given up: with a quota, a full disk can look free. */
const refillMs = 10_000
/** Bytes for the ballast's own folder and its empty files. */
const spareBytes = 64 << 10

/**
 * The disk of a state directory. While the disk is full, calls that add are refused and calls that free go on, in the room of the ballast, which is given
 * up. When the disk has space again, all calls go on and the ballast is made again. After an input/output error nothing is written any more.
 */
export class Disk {
  readonly directory: string
  readonly #ballast: Ballast
  readonly #listeners = new Set<(fault: CloudError) => void>()
  #isHeld = false
  #full: CloudError | undefined
  #failed: CloudError | undefined
  #lookedMs = -Infinity
  #releasedMs = -Infinity

  constructor(directory: string) {
    this.directory = directory
    this.#ballast = new Ballast(directory)
    this.look()
  }

  /** Keeps a ballast from now on, whenever the disk has room for it. */
  holdBallast(): void {
    this.#isHeld = true
    this.#look()
  }

  /** Call when the daemon ends: on a full disk the ballast takes the room that is left, so that the next start has it. */
  leave(): void {
    if (!this.#isHeld || this.#ballast.isThere) return
    const { freeBytes, totalBytes } = diskSpace(this.directory)
    this.#ballast.fill(Math.min(ballastBytesFor(totalBytes), freeBytes - spareBytes))
  }

  /** Calls `listener` when the disk is full, once until it has room again, and when the disk failed. Calls at once when that is so already. */
  onFault(listener: (fault: CloudError) => void): Disposable {
    this.#listeners.add(listener)
    for (const fault of [this.#full, this.#failed]) if (fault !== undefined) listener(fault)
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) }
  }

  /** Whether a write that may be left out, such as a log line, should be left out. */
  get isScarce(): boolean {
    return this.#full !== undefined || this.#failed !== undefined
  }

  /** Gives up the ballast on a full disk, and makes it again on a disk with room. Looks at most every 50 ms. */
  look(): void {
    if (performance.now() - this.#lookedMs >= lookMs) this.#look()
  }

  /** @throws CloudError DISK_FULL when the disk is full, or would be with `neededBytes` more; DISK_FAILED */
  demand(neededBytes = 0): void {
    this.demandWorking()
    const room = this.#look()
    const keptBytes = this.#full === undefined ? leastBytesFor(room.ballastBytes) : room.ballastBytes * 1.5
    if (this.#full !== undefined || room.freeBytes - neededBytes < keptBytes) {
      throw fullDisk(this.directory, undefined, neededBytes === 0 ? undefined : neededBytes, keptBytes)
    }
  }

  /** @throws CloudError DISK_FAILED */
  demandWorking(): void {
    if (this.#failed !== undefined) throw this.#failed
  }

  /** Translates the error of a write into a fault of the disk and takes note of the fault. Gives any other error back unchanged. */
  fault(error: unknown): unknown {
    const fault = diskFault(error, this.directory)
    if (fault?.fault === 'DISK_FULL') this.#noteFull(fault)
    if (fault?.fault === 'DISK_FAILED' && this.#failed === undefined) {
      this.#failed = fault
      this.#tell(fault)
    }
    return fault ?? error
  }

  #look() {
    this.#lookedMs = performance.now()
    const { freeBytes, totalBytes, freeFiles } = diskSpace(this.directory)
    const ballastBytes = ballastBytesFor(totalBytes)
    if (isScarceNow({ freeBytes, freeFiles, ballastBytes, isScarce: this.#full !== undefined })) this.#noteFull(fullDisk(this.directory))
    else {
      this.#full = undefined
      const mayFill = this.#isHeld && !this.#ballast.isThere && this.#lookedMs - this.#releasedMs > refillMs
      if (mayFill && freeBytes > ballastBytes * 1.5) this.#ballast.fill(ballastBytes)
    }
    return { freeBytes, ballastBytes }
  }

  #noteFull(fault: CloudError): void {
    if (this.#ballast.isThere) {
      this.#ballast.release()
      this.#releasedMs = performance.now()
    }
    if (this.#full !== undefined) return
    this.#full = fault
    this.#tell(fault)
  }

  #tell(fault: CloudError): void {
    for (const listener of this.#listeners) listener(fault)
  }
}
