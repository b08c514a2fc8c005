/** Numbers that one seed always gives in the same order: a fuzz that failed fails again. */
export interface Seeded {
  /** From 0 up to `limit`, which it never is. */
  below(limit: number): number
  pick<T>(all: readonly T[]): T
  /** True once in `n` times. */
  oneIn(n: number): boolean
  bytes(length: number): Buffer
}

/** FUZZ_SEED and FUZZ_ROUNDS set others: a night's run takes more of both. */
export const fuzzSeed = Number(process.env['FUZZ_SEED'] ?? 20_261_126)
export const fuzzRounds = (usual: number) => Number(process.env['FUZZ_ROUNDS'] ?? usual)

/** Mulberry32. */
export function seeded(seed: number): Seeded {
  let state = seed
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (limit: number) => Math.floor(next() * limit)
  return {
    below,
    pick<T>(all: readonly T[]): T {
      const found = all[below(all.length)]
      if (found === undefined) throw new RangeError('nothing to pick from')
      return found
    },
    oneIn: (n) => below(n) === 0,
    bytes: (length) => Buffer.from(Array.from({ length }, () => below(256))),
  }
}

/** The same bytes with some taken away, doubled, replaced or put in. */
export function mutated(random: Seeded, bytes: Buffer, hostile: readonly string[]): Buffer {
  let told = bytes
  for (let count = 1 + random.below(4); count > 0; count -= 1) {
    const at = random.below(told.length + 1)
    const to = Math.min(told.length, at + random.below(40))
    const piece = random.pick<() => Buffer>([
      () => Buffer.alloc(0),
      () => Buffer.concat([told.subarray(at, to), told.subarray(at, to)]),
      () => random.bytes(1 + random.below(3)),
      () => Buffer.from(random.pick(hostile)),
    ])()
    told = Buffer.concat([told.subarray(0, at), piece, told.subarray(random.oneIn(2) ? at : to)])
  }
  return told
}
