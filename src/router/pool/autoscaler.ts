/** What is measured of one revision. */
export interface Load {
  /** Requests under way and waiting, now. */
  readonly requests: number
  /** The mean over the window of those under way. */
  readonly meanInFlight: number
  /** The most instances that were wanted while there were requests, within the idle limit. */
  readonly mostWanted: number
  /** Instances that take requests, those that are starting, and those that run but take none (not ready). */
  readonly serving: number
  readonly starting: number
  readonly unready: number
  /** For each running instance without a request: how long it has had none, in ms. */
  readonly idleMs: readonly number[]
}

export interface Scaling {
  /** Requests that one instance takes at a time. */
  readonly concurrency: number
  readonly min: number
  readonly max: number
  /** How long an instance that is not needed is kept. */
  readonly idleMs: number
}

export interface ScalingPlan {
  /** Instances that the load asks for, within the limits. */
  readonly wanted: number
  /** How many to start now. */
  readonly start: number
  /** How many to stop now, the longest idle first. */
  readonly stop: number
}

/** Cloud Run plans for 60 % of the maximum concurrency, averaged over a minute. Source: cloud.google.com/run/docs/about-instance-autoscaling */
const fill = 0.6
export const windowMs = 60_000

/**
 * How many instances a revision should have. Pure: the caller measures and the caller acts.
 *
 * Up at once: what waits needs an instance now, at its full concurrency. Up ahead: while there are requests, their mean over the window fills
 * instances to 60 %. Down late: only an instance that has been idle for the whole limit goes, and only down to the most that the load asked for
 * within it; so a pattern that comes again within the limit finds what it had (no flapping). Above the maximum, which may have been lowered, idle ones go at once.
 */
export function autoscale(load: Load, { concurrency, min, max, idleMs }: Scaling): ScalingPlan {
  const forNow = Math.ceil(load.requests / concurrency)
  const ahead = Math.ceil(rounded(load.meanInFlight / comfortable(concurrency)))
  const wanted = Math.min(max, Math.max(min, forNow, ahead))
  // what the mean remembers of requests that are over keeps instances, and starts none
  const toStart = Math.min(max, Math.max(min, forNow, load.requests > 0 ? ahead : 0)) - load.serving - load.starting
  const running = load.serving + load.unready
  const start = Math.max(0, Math.min(toStart, max - running - load.starting))
  const ripe = load.idleMs.filter((ms) => ms >= idleMs).length
  const stop = Math.max(Math.min(running - Math.max(wanted, load.mostWanted), ripe), Math.min(running - max, load.idleMs.length), 0)
  return { wanted, start, stop }
}

/** How many requests an instance is planned for: one at least, or a single long request would ask for two instances. */
export function comfortable(concurrency: number): number {
  return Math.max(1, concurrency * fill)
}

/** Without what adding up floating point leaves: 0.6000000001 of an instance is not two. */
function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6
}

/** The mean of a number over the last `windowMs`, each value weighed by how long it held; what was before the first value counts as 0. */
export class WindowMean {
  readonly #windowMs: number
  /** The area under the curve, from the first value on, at moments that `mean` was asked. */
  readonly #marks: { readonly atMs: number; readonly area: number }[] = []
  #value = 0
  #atMs = 0
  #area = 0

  constructor(ofMs: number) {
    this.#windowMs = ofMs
  }

  /** From now on it is `value`. */
  set(value: number, nowMs: number): void {
    this.#area += this.#value * (nowMs - this.#atMs)
    this.#atMs = nowMs
    this.#value = value
  }

  /** Ask regularly: the window begins at a moment that it was asked at, which is kept each 120th of it. */
  mean(nowMs: number): number {
    this.set(this.#value, nowMs)
    const newest = this.#marks.at(-1)
    if (newest === undefined || nowMs - newest.atMs >= this.#windowMs / 120) this.#marks.push({ atMs: nowMs, area: this.#area })
    while ((this.#marks[1]?.atMs ?? Infinity) <= nowMs - this.#windowMs) this.#marks.shift()
    const oldest = this.#marks[0]
    const before = oldest !== undefined && oldest.atMs <= nowMs - this.#windowMs ? oldest.area : 0
    return (this.#area - before) / this.#windowMs
  }
}

/** The largest of the values of the last `windowMs`. */
export class RecentMost {
  readonly #windowMs: number
  /** Values that may still become the largest: each later one is smaller. */
  readonly #values: { readonly atMs: number; readonly value: number }[] = []

  constructor(ofMs: number) {
    this.#windowMs = ofMs
  }

  add(value: number, nowMs: number): void {
    while ((this.#values.at(-1)?.value ?? Infinity) <= value) this.#values.pop()
    this.#values.push({ atMs: nowMs, value })
  }

  most(nowMs: number): number {
    while ((this.#values[0]?.atMs ?? nowMs) < nowMs - this.#windowMs) this.#values.shift()
    return this.#values[0]?.value ?? 0
  }
}
