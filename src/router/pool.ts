import { CloudError } from '../base/cloud-error.ts'
import type { Clock } from '../base/clock.ts'
import { instancesToStart } from './desired-instances.ts'
import type { Address, Lease, Upstream } from './upstream.ts'

export interface PoolInstance {
  readonly id: string
  readonly address: Address
  /** Ends and removes it. */
  stop(): Promise<void>
}

export interface RevisionPool extends Upstream {
  readonly instances: readonly { readonly id: string; readonly inFlight: number }[]
  /** Takes over an instance that runs already. */
  adopt(instance: PoolInstance): void
  /** From now on: service-level scaling changes without a new revision. */
  setLimits(limits: InstanceLimits): void
  /** An instance ended by itself: it takes no more requests. */
  instanceEnded(id: string): void
  /** Takes no more requests, lets those under way finish, and stops the instances. */
  close(): Promise<void>
}

/** How many instances one revision may have. */
export interface InstanceLimits {
  readonly min: number
  readonly max: number
}

export interface PoolOptions {
  readonly id: string
  /** What the instances speak. Default `http1`. */
  readonly protocol?: 'http1' | 'h2c'
  readonly concurrency: number
  readonly minInstances: number
  readonly maxInstances: number
  /** How long a request waits for room when no more instances may start. Cloud Run: at least 10 s. */
  readonly pendingMs: number
  readonly startInstance: (signal: AbortSignal) => Promise<PoolInstance>
  readonly clock: Clock
}

interface Slot {
  readonly instance: PoolInstance
  inFlight: number
}

interface Waiter {
  readonly grant: (lease: Lease) => void
  readonly refuse: (error: unknown) => void
}

/** The instances of one revision: requests are spread over those with room, and more start when there is none. */
export function createRevisionPool(options: PoolOptions): RevisionPool {
  return new Pool(options)
}

class Pool implements RevisionPool {
  readonly id: string
  readonly protocol: 'http1' | 'h2c'
  readonly #options: PoolOptions
  readonly #slots: Slot[] = []
  readonly #waiting = new Set<Waiter>()
  readonly #closing = new AbortController()
  readonly #ended = new Set<string>()
  #limits: InstanceLimits
  #starting = 0
  #drained: PromiseWithResolvers<void> | undefined

  constructor(options: PoolOptions) {
    this.id = options.id
    this.protocol = options.protocol ?? 'http1'
    this.#options = options
    this.#limits = { min: options.minInstances, max: options.maxInstances }
  }

  get instances(): readonly { readonly id: string; readonly inFlight: number }[] {
    return this.#slots.map(({ instance, inFlight }) => ({ id: instance.id, inFlight }))
  }

  tryAcquire(): Lease | undefined {
    const slot = this.#roomiest()
    return slot === undefined ? undefined : this.#lease(slot)
  }

  acquire(signal: AbortSignal): Promise<Lease> {
    const lease = this.tryAcquire()
    if (lease !== undefined) return Promise.resolve(lease)
    if (this.#closing.signal.aborted) return Promise.reject(closed(this.id))
    const { promise, resolve, reject } = Promise.withResolvers<Lease>()
    const over = (error: unknown) => {
      this.#waiting.delete(waiter)
      clearTimeout(pending)
      signal.removeEventListener('abort', onAbort)
      if (error !== undefined) reject(error)
    }
    const onAbort = () => over(signal.reason)
    const waiter: Waiter = {
      grant: (granted) => {
        over(undefined)
        resolve(granted)
      },
      refuse: over,
    }
    const pending = setTimeout(() => {
      if (this.#starting === 0) over(noRoom(this.id))
    }, this.#options.pendingMs)
    signal.addEventListener('abort', onAbort, { once: true })
    this.#waiting.add(waiter)
    this.#scale()
    return promise
  }

  adopt(instance: PoolInstance): void {
    if (this.#ended.delete(instance.id)) return
    this.#slots.push({ instance, inFlight: 0 })
    this.#serve()
  }

  setLimits(limits: InstanceLimits): void {
    this.#limits = limits
    if (this.#waiting.size > 0) this.#scale()
  }

  instanceEnded(id: string): void {
    const at = this.#slots.findIndex((slot) => slot.instance.id === id)
    if (at !== -1) this.#slots.splice(at, 1)
    else if (this.#starting > 0) this.#ended.add(id)
    if (this.#waiting.size > 0) this.#scale()
  }

  async close(): Promise<void> {
    this.#closing.abort(closed(this.id))
    for (const waiter of this.#waiting) waiter.refuse(closed(this.id))
    this.#drained = Promise.withResolvers()
    if (!this.#isBusy()) this.#drained.resolve()
    await this.#drained.promise
    await Promise.all(this.#slots.splice(0).map((slot) => slot.instance.stop()))
  }

  /** Least busy first, so that a new instance takes its share at once. */
  #roomiest(): Slot | undefined {
    let best: Slot | undefined
    for (const slot of this.#slots) {
      if (slot.inFlight < this.#options.concurrency && (best === undefined || slot.inFlight < best.inFlight)) best = slot
    }
    return best
  }

  #lease(slot: Slot): Lease {
    slot.inFlight += 1
    let released = false
    return {
      instance: slot.instance.id,
      address: slot.instance.address,
      release: () => {
        if (released) return
        released = true
        slot.inFlight -= 1
        if (this.#waiting.size > 0) this.#serve()
        if (this.#drained !== undefined && !this.#isBusy()) this.#drained.resolve()
      },
    }
  }

  #serve(): void {
    for (const waiter of this.#waiting) {
      const slot = this.#roomiest()
      if (slot === undefined) return
      waiter.grant(this.#lease(slot))
    }
  }

  #scale(): void {
    const { concurrency, startInstance } = this.#options
    const requests = this.#waiting.size + this.#slots.reduce((sum, slot) => sum + slot.inFlight, 0)
    const count = instancesToStart({ requests, instances: this.#slots.length, starting: this.#starting }, { concurrency, ...this.#limits })
    for (let n = 0; n < count; n += 1) {
      this.#starting += 1
      startInstance(this.#closing.signal).then(
        (instance) => {
          this.#starting -= 1
          if (this.#closing.signal.aborted) void instance.stop()
          else this.adopt(instance)
        },
        (error: unknown) => {
          this.#starting -= 1
          if (this.#starting > 0 || this.#slots.length > 0) return
          for (const waiter of this.#waiting) waiter.refuse(error)
        },
      )
    }
  }

  #isBusy(): boolean {
    return this.#slots.some((slot) => slot.inFlight > 0)
  }
}

function noRoom(id: string): CloudError {
  return new CloudError(
    'RESOURCE_EXHAUSTED',
    `The request was aborted because there was no available instance of ${id}.`,
    'Raise maxInstances or concurrency.',
  )
}

function closed(id: string): CloudError {
  return new CloudError('UNAVAILABLE', `Revision ${id} takes no more requests.`, 'Try again: the new revision does.')
}
