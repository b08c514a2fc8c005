/** CRC-32C (Castagnoli, reflected polynomial 0x82F63B78), eight bytes a step. Source: RFC 3720, appendix B.4. */
const tables = makeTables()

/** @param crc what an earlier call gave, to go on from there @returns an unsigned 32-bit number */
export function crc32c(data: Uint8Array, crc = 0): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables
  let sum = ~crc
  let at = 0
  for (const end = data.length - 7; at < end; at += 8) {
    const low = sum ^ (byte(data, at) | (byte(data, at + 1) << 8) | (byte(data, at + 2) << 16) | (byte(data, at + 3) << 24))
    sum =
      look(t7, low) ^ look(t6, low >>> 8) ^ look(t5, low >>> 16) ^ look(t4, low >>> 24) ^
      look(t3, byte(data, at + 4)) ^ look(t2, byte(data, at + 5)) ^ look(t1, byte(data, at + 6)) ^ look(t0, byte(data, at + 7)) // prettier-ignore
  }
  for (; at < data.length; at += 1) sum = look(t0, sum ^ byte(data, at)) ^ (sum >>> 8)
  return ~sum >>> 0
}

function look(table: Int32Array, index: number): number {
  return table[index & 0xff] as number
}

function byte(data: Uint8Array, at: number): number {
  return data[at] as number
}

function makeTables(): readonly [Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array] {
  const first = Int32Array.from({ length: 256 }, (_, n) => {
    let value = n
    for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1
    return value
  })
  const next = (table: Int32Array) => table.map((value) => look(first, value) ^ (value >>> 8))
  const second = next(first)
  const third = next(second)
  const fourth = next(third)
  const fifth = next(fourth)
  const sixth = next(fifth)
  const seventh = next(sixth)
  return [first, second, third, fourth, fifth, sixth, seventh, next(seventh)]
}
