/** An instance as it is seen. `settling` runs, but for too short a time to count. */
export interface ObservedInstance {
  readonly name: string
  readonly revision: string
  readonly state: 'starting' | 'settling' | 'running' | 'stopping'
}

export interface PoolPlan {
  readonly start: readonly { readonly revision: string; readonly count: number }[]
  /** Names. */
  readonly stop: readonly string[]
  /** When to look again though nothing happens: the end of a back-off. */
  readonly wakeMs: number | undefined
}

/**
 * What to do now so that a pool has the instances that it should. Pure. What is not wanted any more stops when all that is wanted runs, so that
 * a rollout never leaves nobody at work; when nothing is wanted it stops at once.
 * @param wanted instances of each revision
 * @param backOff until when no instance of a revision is started, wall time
 */
export function decidePool(
  wanted: ReadonlyMap<string, number>,
  observed: readonly ObservedInstance[],
  backOff: ReadonlyMap<string, number>,
  nowMs: number,
): PoolPlan {
  const alive = observed.filter(({ state }) => state !== 'stopping')
  const of = (revision: string) => alive.filter((one) => one.revision === revision)
  const missing = [...wanted].flatMap(([revision, count]) => {
    const lacking = count - of(revision).length
    return lacking > 0 ? [{ revision, count: lacking }] : []
  })
  const later = missing.filter(({ revision }) => (backOff.get(revision) ?? 0) > nowMs)
  const isWhole = [...wanted].every(([revision, count]) => of(revision).filter(({ state }) => state === 'running').length >= count)
  const surplus = [...new Set(alive.map(({ revision }) => revision))].flatMap((revision) => {
    const count = wanted.get(revision) ?? 0
    if (count === 0 && !isWhole) return []
    const newestFirst = of(revision).toReversed()
    return newestFirst.slice(0, Math.max(0, newestFirst.length - count))
  })
  const wakes = later.map(({ revision }) => backOff.get(revision) ?? 0)
  return {
    start: missing.filter((one) => !later.includes(one)),
    stop: surplus.map(({ name }) => name),
    wakeMs: wakes.length === 0 ? undefined : Math.min(...wakes),
  }
}

const firstDelayMs = 1000
const longestDelayMs = 300_000
/** Who ran so long is no crash loop. */
const soundMs = 60_000

/** How long to wait before the next instance, after `failures` ends in a row (1 is the first). As Kubernetes: doubling, 5 minutes at most. */
export function restartDelayMs(failures: number): number {
  return Math.min(longestDelayMs, firstDelayMs * 2 ** (failures - 1))
}

/** Ends in a row, after one more. @param ranMs how long the instance ran */
export function countFailure(failures: number, ranMs: number): number {
  return ranMs >= soundMs ? 1 : failures + 1
}
