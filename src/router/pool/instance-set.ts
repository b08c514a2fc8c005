import { comfortable } from './autoscaler.ts'
import type { InstanceSlot } from './instance-slot.ts'
import type { InstanceView } from './revision-pool.ts'
import type { Listed } from '../swap-list.ts'
import type { Address, Lease } from '../upstream.ts'

/** The running instances of a pool, in the order of their start: which of them takes a request, and what is under way in them. */
export class InstanceSet {
  /** Requests under way in all of them. */
  inFlight = 0
  /** How many instances the load asks for: the first so many take its requests, so that others become idle. */
  wanted = 1
  readonly #slots: InstanceSlot[] = []
  readonly #stopping = new Set<Promise<void>>()
  readonly #concurrency: number
  readonly #onRelease: () => void
  #uses = 0

  /** @param onRelease a request is over */
  constructor(concurrency: number, onRelease: () => void) {
    this.#concurrency = concurrency
    this.#onRelease = onRelease
  }

  get size(): number {
    return this.#slots.length
  }

  [Symbol.iterator](): Iterator<InstanceSlot> {
    return this.#slots.values()
  }

  get views(): readonly InstanceView[] {
    return this.#slots.map(({ instance, inFlight, isReady, isPaused }) => {
      const state = !isReady ? 'not ready' : inFlight > 0 ? 'active' : isPaused ? 'paused' : 'idle'
      return { id: instance.id, inFlight, state }
    })
  }

  /** How many take requests. */
  get ready(): number {
    return this.#slots.reduce((sum, slot) => sum + (slot.isReady ? 1 : 0), 0)
  }

  /** Those without a request, the longest idle first. */
  get idle(): readonly InstanceSlot[] {
    return this.#slots.filter((slot) => slot.inFlight === 0).toSorted((a, b) => a.idleSinceMs - b.idleSinceMs)
  }

  find(id: string): InstanceSlot | undefined {
    return this.#slots.find(({ instance }) => instance.id === id)
  }

  add(slot: InstanceSlot): void {
    this.#slots.push(slot)
  }

  /** False when it was none of them. */
  delete(slot: InstanceSlot): boolean {
    const at = this.#slots.indexOf(slot)
    if (at !== -1) this.#slots.splice(at, 1)
    return at !== -1
  }

  clear(): readonly InstanceSlot[] {
    return this.#slots.splice(0)
  }

  /** Ends one that is no longer of the set. */
  stop(slot: InstanceSlot): void {
    const done = slot
      .stop()
      .catch(() => {})
      .then(() => void this.#stopping.delete(done))
    this.#stopping.add(done)
  }

  /** Until all that were told to have stopped. */
  async stopped(): Promise<void> {
    await Promise.all(this.#stopping)
  }

  /** The instance of a session, when it can take its request, awake or not. */
  preferred(id: string): InstanceSlot | undefined {
    const slot = this.find(id)
    return slot !== undefined && slot.isReady && slot.inFlight < this.#concurrency ? slot : undefined
  }

  /**
   * Who takes the next request. Least busy first, so that a new instance takes its share at once, and of equals the one that rested longest.
   * Instances beyond those that the load asks for come last, so that they become idle.
   */
  roomiest(): InstanceSlot | undefined {
    const enough = comfortable(this.#concurrency)
    let best: InstanceSlot | undefined
    for (let at = 0; at < this.#slots.length; at += 1) {
      const slot = this.#slots[at] as InstanceSlot
      if (!slot.isAwake || !slot.isReady || slot.inFlight >= this.#concurrency) continue
      if (best === undefined) best = slot
      else if (at >= this.wanted && best.inFlight < enough) break
      else if (slot.inFlight < best.inFlight || (slot.inFlight === best.inFlight && slot.lastUse < best.lastUse)) best = slot
    }
    return best
  }

  /** Gives a request to `slot`. */
  lease(slot: InstanceSlot): Lease {
    slot.inFlight += 1
    slot.lastUse = this.#uses += 1
    this.inFlight += 1
    if (slot.inFlight > comfortable(this.#concurrency)) this.#slots.find(({ isPaused }) => isPaused)?.wake() // the next one will want it
    const lease = new SlotLease(slot, this)
    slot.leases.add(lease)
    return lease
  }

  released(slot: InstanceSlot): void {
    slot.inFlight -= 1
    slot.hasServed = true
    this.inFlight -= 1
    this.#onRelease()
    if (slot.inFlight === 0) slot.rest()
  }

  /** Tells whoever has a lease on `slot`, which is gone; who has not let go of it yet waits for nothing. */
  tellLost(slot: InstanceSlot): void {
    for (const lease of slot.leases) lease.onLost?.()
    this.inFlight -= slot.leases.size
    for (const lease of slot.leases) slot.leases.delete(lease)
  }

  /** Wakes paused instances for `requests` more. */
  wake(requests: number): void {
    let lacking = requests
    for (const slot of this.#slots) {
      if (lacking <= 0) return
      if (slot.isAwake || !slot.isReady) continue
      slot.wake()
      lacking -= this.#concurrency
    }
  }
}

/**
 * A class, as all that the router makes for each request: V8 allocates object literals straight in the old generation once some have survived, and
 * each then keeps what it points to from being collected young. It does so for no class.
 */
class SlotLease implements Lease, Listed {
  place = -1
  onLost: (() => void) | undefined = undefined
  readonly instance: string
  readonly address: Address
  readonly #slot: InstanceSlot
  readonly #set: InstanceSet

  constructor(slot: InstanceSlot, set: InstanceSet) {
    this.instance = slot.instance.id
    this.address = slot.instance.address
    this.#slot = slot
    this.#set = set
  }

  broken(): void {
    this.#slot.suspect()
  }

  release(): void {
    this.onLost = undefined
    if (this.#slot.leases.delete(this)) this.#set.released(this.#slot)
  }
}
