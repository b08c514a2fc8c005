import { createHash, type Hash } from 'node:crypto'
import { crc32c } from '../base/crc32c.ts'

/** Computes size, CRC32C and MD5 of bytes as they pass. */
export class RunningSums {
  sizeBytes = 0
  #crc32c = 0
  #md5: Hash = createHash('md5')

  add(chunk: Uint8Array): void {
    this.sizeBytes += chunk.length
    this.#crc32c = crc32c(chunk, this.#crc32c)
    this.#md5.update(chunk)
  }

  /** The sums so far. More bytes may follow. */
  read(): { readonly sizeBytes: number; readonly crc32c: number; readonly md5: Uint8Array } {
    return { sizeBytes: this.sizeBytes, crc32c: this.#crc32c, md5: this.#md5.copy().digest() }
  }
}

/** The CRC32C of two pieces end to end, from the pieces' own sums. Source: zlib's crc32_combine, with the polynomial of Castagnoli. */
export function combineCrc32c(first: number, second: number, secondSizeBytes: number): number {
  let crc = first
  let operator = squared(squared(oneZeroBit()))
  for (let size = secondSizeBytes; size > 0; size = Math.floor(size / 2)) {
    operator = squared(operator)
    if (size % 2 === 1) crc = times(operator, crc)
  }
  return (crc ^ second) >>> 0
}

/** What one zero bit does to a CRC, as a matrix over GF(2): a column a bit. */
function oneZeroBit(): Uint32Array {
  return Uint32Array.from({ length: 32 }, (_, bit) => (bit === 0 ? 0x82f63b78 : 1 << (bit - 1)))
}

function squared(matrix: Uint32Array): Uint32Array {
  return matrix.map((column) => times(matrix, column))
}

function times(matrix: Uint32Array, vector: number): number {
  let sum = 0
  for (let bit = 0, rest = vector; rest !== 0; bit += 1, rest >>>= 1) if (rest & 1) sum ^= matrix[bit] ?? 0
  return sum >>> 0
}
