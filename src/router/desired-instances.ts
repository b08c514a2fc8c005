export interface Demand {
  /** Requests under way and waiting. */
  readonly requests: number
  /** Instances that serve, and that are starting. */
  readonly instances: number
  readonly starting: number
}

export interface Limits {
  /** Requests that one instance takes at a time. */
  readonly concurrency: number
  readonly min: number
  readonly max: number
}

/** How many instances to start now so that nothing waits longer than a start takes. Pure. */
export function instancesToStart(demand: Demand, limits: Limits): number {
  const needed = Math.ceil(demand.requests / limits.concurrency)
  const wanted = Math.min(limits.max, Math.max(limits.min, needed))
  return Math.max(0, wanted - demand.instances - demand.starting)
}
