import { autoscale, RecentMost, WindowMean, windowMs, type ScalingPlan } from './autoscaler.ts'
import type { InstanceSet } from './instance-set.ts'
import type { InstanceLimits } from './revision-pool.ts'

/** What was asked of a revision over time, and how many instances that calls for. */
export class Demand {
  readonly #concurrency: number
  readonly #mean: WindowMean
  #idleMs: number
  #mostWanted: RecentMost

  /** @param idleMs how long an instance that is not needed is kept */
  constructor(concurrency: number, idleMs: number) {
    this.#concurrency = concurrency
    this.#mean = new WindowMean(Math.min(windowMs, idleMs))
    this.#idleMs = idleMs
    this.#mostWanted = new RecentMost(idleMs)
  }

  set idleMs(idleMs: number) {
    if (idleMs === this.#idleMs) return
    this.#idleMs = idleMs
    this.#mostWanted = new RecentMost(idleMs)
  }

  /** From now on so many requests are in flight. */
  measure(inFlight: number, nowMs: number): void {
    this.#mean.set(inFlight, nowMs)
  }

  /** @param more requests that wait, and instances that start */
  plan(
    slots: InstanceSet,
    more: { readonly waiting: number; readonly starting: number },
    limits: InstanceLimits,
    nowMs: number,
  ): ScalingPlan {
    const { ready: serving, inFlight, idle } = slots
    const requests = inFlight + more.waiting
    const plan = autoscale(
      {
        requests,
        meanInFlight: this.#mean.mean(nowMs),
        mostWanted: this.#mostWanted.most(nowMs),
        serving,
        starting: more.starting,
        unready: slots.size - serving,
        idleMs: idle.map((slot) => nowMs - slot.idleSinceMs),
      },
      { concurrency: this.#concurrency, min: limits.min, max: limits.max, idleMs: this.#idleMs },
    )
    this.#mostWanted.add(requests > 0 ? plan.wanted : 0, nowMs)
    return plan
  }
}
