import { randomFillSync } from 'node:crypto'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ballastFiles } from './decide-room.ts'

/** Bytes and files without a meaning, in `ballast/`. They are removed when the disk is full, so that deletes have room. */
export class Ballast {
  readonly #folder: string

  constructor(directory: string) {
    this.#folder = join(directory, 'ballast')
  }

  get isThere(): boolean {
    return existsSync(this.#folder)
  }

  /** Makes the ballast of random bytes, since a file system may compress others to nothing. A disk without room gets no ballast. */
  fill(sizeBytes: number): void {
    if (sizeBytes <= 0) return
    try {
      mkdirSync(this.#folder, { mode: 0o700 })
      for (let n = 0; n < ballastFiles - 1; n += 1)
        writeFileSync(join(this.#folder, String(n)), n === 0 ? randomFillSync(Buffer.alloc(sizeBytes)) : '', { mode: 0o600 })
    } catch {
      this.release()
    }
  }

  release(): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
