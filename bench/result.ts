/** What a benchmark found. A ratio above 1 says that we are the better one. */
export interface BenchResult {
  /** By peer, or by what is compared. */
  readonly ratios: Readonly<Record<string, number>>
  /** What stands for itself: each name carries its unit. */
  readonly figures?: Readonly<Record<string, number>>
}

/** Runs one benchmark; `tell` is progress for people, on stderr. */
export type Bench = (tell: (text: string) => void) => Promise<BenchResult>

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

export function rounded(value: number, digits = 2): number {
  return Number(value.toFixed(digits))
}

/** `median 1.23 (1.20 to 1.31)` */
export function spread(values: readonly number[], digits = 2): string {
  return `median ${median(values).toFixed(digits)} (${Math.min(...values).toFixed(digits)} to ${Math.max(...values).toFixed(digits)})`
}
