import { BackOff } from './back-off.ts'
import type { PoolInstance } from './instance-slot.ts'
import { Patience } from './patience.ts'
import type { PoolOptions, StartReason } from './revision-pool.ts'

/** The starts of a pool's instances: those under way, how long they take, and how long the next one waits after some that failed. */
export class InstanceStarts {
  /** Adopted ones included, until they are ready. */
  underWay = 0
  readonly patience: Patience
  readonly backOff: BackOff
  readonly #options: PoolOptions

  constructor(options: PoolOptions, pendingMs: number) {
    this.#options = options
    this.patience = new Patience(pendingMs)
    this.backOff = new BackOff(options.clock)
  }

  /** Starts one, and tells what became of it within the turn of the event loop in which it is no longer under way. */
  start(reason: StartReason, signal: AbortSignal, onReady: (instance: PoolInstance) => void, onFailed: (error: unknown) => void): void {
    const { clock, onEvent, startInstance } = this.#options
    this.underWay += 1
    onEvent?.({ kind: 'starting', reason })
    const beganMs = clock.ticksMs()
    this.#follow(
      startInstance(signal),
      (instance) => {
        this.patience.started(clock.ticksMs() - beganMs)
        onReady(instance)
      },
      (error) => {
        if (!signal.aborted) this.failed(error)
        onFailed(error)
      },
    )
  }

  /** One that somebody else has started. */
  adopt(instance: Promise<PoolInstance>, onReady: (instance: PoolInstance) => void, onFailed: () => void): void {
    this.underWay += 1
    this.#follow(instance, onReady, onFailed)
  }

  /** One did not come up, or ended soon after. */
  failed(error: unknown): void {
    this.backOff.failed(error)
    this.#options.onEvent?.({ kind: 'failed', error, retryMs: this.backOff.waitMs })
  }

  #follow(instance: Promise<PoolInstance>, onReady: (instance: PoolInstance) => void, onFailed: (error: unknown) => void): void {
    instance.then(
      (ready) => {
        this.underWay -= 1
        onReady(ready)
      },
      (error: unknown) => {
        this.underWay -= 1
        onFailed(error)
      },
    )
  }
}
