import type { Clock } from '../../base/clock.ts'
import type { PoolInstance } from './instance-slot.ts'
import type { Lease, Upstream } from '../upstream.ts'

/** The instances of one revision, as those see it who deploy, watch and stop it. */
export interface RevisionPool extends Upstream {
  tryAcquire(preferred?: string): Lease | undefined
  readonly instances: readonly InstanceView[]
  /** Takes over an instance that runs already, or will when it is ready; nothing is started in its place meanwhile. */
  adopt(instance: PoolInstance | Promise<PoolInstance>): void
  /** From here on instances start; before, requests are held. Only for a pool that was made `isHeld`. */
  open(): void
  /** Starts an instance when there is none: the health check of a deployment, which waits as long as a start may take. */
  warm(signal: AbortSignal): Promise<void>
  /** From now on: service-level scaling changes without a new revision. */
  setLimits(limits: InstanceLimits): void
  /** Whether an instance takes requests: one that is not ready gets no new ones, and lives on. */
  setReady(id: string, isReady: boolean): void
  /** An instance ended by itself, or is not healthy: it takes no more requests, and what is left of it is removed. */
  instanceEnded(id: string): void
  /** Takes no more requests, lets those under way and waiting finish, and stops the instances. @param how `now` refuses those that wait */
  close(how?: 'drain' | 'now'): Promise<void>
  /** Does nothing more: its instances go on, for the next daemon. */
  leave(): void
}

export interface InstanceView {
  /** Empty while it starts. */
  readonly id: string
  readonly inFlight: number
  readonly state: 'starting' | 'active' | 'idle' | 'paused' | 'not ready'
}

/** How many instances one revision may have. */
export interface InstanceLimits {
  readonly min: number
  readonly max: number
  /** How long an instance that is not needed is kept, in ms, when that changes too. */
  readonly idleMs?: number | undefined
}

/** Why an instance starts: for requests that wait or are expected, for the minimum, or for the health check of a deployment. */
export type StartReason = 'requests' | 'minimum' | 'deployment'

export type PoolEvent =
  | { readonly kind: 'starting'; readonly reason: StartReason }
  /** `code` as the request was refused: at the maximum, or because none came up in time. */
  | { readonly kind: 'refused'; readonly code: 'RESOURCE_EXHAUSTED' | 'UNAVAILABLE' }
  /** None came up, or one ended soon after. `retryMs`: how long no other one starts. */
  | { readonly kind: 'failed'; readonly error: unknown; readonly retryMs: number }
  | { readonly kind: 'stopping'; readonly instance: string; readonly reason: 'idle' | 'closed' }

export interface PoolOptions {
  readonly id: string
  /** What the instances speak. Default `http1`. */
  readonly protocol?: 'http1' | 'h2c'
  /** As an `Upstream` has them. */
  readonly timeoutMs?: number
  readonly sessionAffinity?: boolean
  readonly concurrency: number
  readonly minInstances: number
  readonly maxInstances: number
  /** How long a request waits at least; longer where starts take long. Cloud Run's is the default, 10 s. */
  readonly pendingMs?: number
  /** How long an instance that is not needed is kept. Cloud Run's is the default, 15 min. */
  readonly idleMs?: number
  /** How long after its last request an instance is paused; absent when it keeps its CPU. */
  readonly pauseAfterMs?: number
  readonly startInstance: (signal: AbortSignal) => Promise<PoolInstance>
  readonly clock: Clock
  readonly onEvent?: (event: PoolEvent) => void
  /** Starts nothing until `open`: what runs already is being looked for. */
  readonly isHeld?: boolean
}
