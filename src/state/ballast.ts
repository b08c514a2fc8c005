import { randomFillSync } from 'node:crypto'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ballastFiles } from './decide-room.ts'

/** Bytes and files that stand for nothing, in `ballast/`: thrown off when the disk is full, so that deletes have room. */
export class Ballast {
  readonly #folder: string

  constructor(directory: string) {
    this.#folder = join(directory, 'ballast')
  }

  get isThere(): boolean {
    return existsSync(this.#folder)
  }

  /** Random, lest a file system that compresses makes nothing of them. A disk that has no room for it has none. */
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
