import type { ScalingPlan } from './autoscaler.ts'
import { Demand } from './demand.ts'
import { InstanceSet } from './instance-set.ts'
import { InstanceSlot, type PoolInstance, type SlotOptions } from './instance-slot.ts'
import { InstanceStarts } from './instance-starts.ts'
import { closed, crashed } from './pool-errors.ts'
import { Refusals } from './refusals.ts'
import type { InstanceLimits, InstanceView, PoolOptions, RevisionPool, StartReason } from './revision-pool.ts'
import { Ticker } from './ticker.ts'
import type { Lease } from '../upstream.ts'
import { WaitingRequests } from './waiting-requests.ts'

/** An instance that lived so long was healthy. */
const healthyMs = 10_000

/** The instances of one revision: requests are spread over those with room, more start when there is none, and idle ones go. */
export function createRevisionPool(options: PoolOptions): RevisionPool {
  return new Pool(options)
}

class Pool implements RevisionPool {
  readonly id: string
  readonly protocol: 'http1' | 'h2c'
  readonly timeoutMs?: number
  readonly sessionAffinity: boolean
  readonly #options: PoolOptions
  readonly #starts: InstanceStarts
  readonly #refusals: Refusals
  readonly #slotOptions: SlotOptions
  readonly #slots: InstanceSet
  readonly #waiting = new WaitingRequests(() => this.#checkDrained())
  readonly #demand: Demand
  readonly #ticker: Ticker
  readonly #giveUp = new AbortController()
  /** Instances that ended before they joined. */
  readonly #ended = new Set<string>()
  #limits: InstanceLimits
  #isHeld: boolean
  #isClosed = false
  #hasLeft = false
  #drained: PromiseWithResolvers<void> | undefined

  constructor(options: PoolOptions) {
    this.id = options.id
    this.protocol = options.protocol ?? 'http1'
    if (options.timeoutMs !== undefined) this.timeoutMs = options.timeoutMs
    this.sessionAffinity = options.sessionAffinity ?? false
    this.#options = options
    this.#limits = { min: options.minInstances, max: options.maxInstances }
    this.#isHeld = options.isHeld ?? false
    const idleMs = options.idleMs ?? 900_000
    const pendingMs = options.pendingMs ?? 10_000
    this.#starts = new InstanceStarts(options, pendingMs)
    this.#refusals = new Refusals(options, this.#waiting, this.#starts)
    const tickMs = Math.max(10, Math.min(1000, pendingMs / 2, idleMs / 2))
    this.#ticker = new Ticker(
      tickMs,
      () => this.#nowMs,
      (sleptMs) => this.#onTick(sleptMs),
    )
    this.#slots = new InstanceSet(options.concurrency, () => this.#onRelease())
    this.#demand = new Demand(options.concurrency, idleMs)
    this.#slotOptions = {
      clock: options.clock,
      pauseAfterMs: options.pauseAfterMs,
      onAwake: () => this.#serve(),
      onLost: (slot) => this.#lose(slot),
    }
    if (!this.#isHeld && this.#limits.min > 0) queueMicrotask(() => this.#scale())
  }

  get instances(): readonly InstanceView[] {
    const starting: InstanceView = { id: '', inFlight: 0, state: 'starting' }
    return [...this.#slots.views, ...Array.from({ length: this.#starts.underWay }, () => starting)]
  }

  tryAcquire(preferred?: string): Lease | undefined {
    if (this.#isClosed) return undefined
    if (preferred !== undefined) {
      const own = this.#slots.preferred(preferred)
      if (own !== undefined) return own.isAwake ? this.#lease(own) : undefined
    }
    const slot = this.#slots.roomiest()
    return slot === undefined ? undefined : this.#lease(slot)
  }

  acquire(signal: AbortSignal, preferred?: string): Promise<Lease> {
    const lease = this.tryAcquire(preferred)
    if (lease !== undefined) return Promise.resolve(lease)
    return this.#wait(signal, { preferred, isPatient: false }, 'requests')
  }

  async warm(signal: AbortSignal): Promise<void> {
    if (this.#slots.ready > 0) return
    const lease = await this.#wait(signal, { preferred: undefined, isPatient: true }, 'deployment')
    lease.release()
  }

  adopt(instance: PoolInstance | Promise<PoolInstance>): void {
    if (!(instance instanceof Promise)) return this.#join(instance, true)
    this.#starts.adopt(
      instance,
      (ready) => this.#join(ready, true),
      () => this.#scale(),
    )
  }

  open(): void {
    this.#isHeld = false
    this.#scale()
  }

  setLimits(limits: InstanceLimits): void {
    if (limits.idleMs !== undefined) this.#demand.idleMs = limits.idleMs
    this.#limits = limits
    this.#scale()
  }

  setReady(id: string, isReady: boolean): void {
    const slot = this.#slots.find(id)
    if (slot === undefined) return
    slot.isReady = isReady
    if (isReady) this.#serve()
  }

  instanceEnded(id: string): void {
    const slot = this.#slots.find(id)
    if (slot !== undefined) return this.#lose(slot)
    if (this.#starts.underWay > 0) this.#ended.add(id)
  }

  async close(how: 'drain' | 'now' = 'drain'): Promise<void> {
    this.#isClosed = true
    if (how === 'now' || this.#waiting.size === 0) this.#giveUp.abort(closed(this.id))
    if (how === 'now') this.#waiting.refuseAll(closed(this.id))
    this.#drained = Promise.withResolvers()
    this.#checkDrained()
    await this.#drained.promise
    this.#giveUp.abort(closed(this.id))
    this.#ticker.stop()
    for (const slot of this.#slots.clear()) this.#stop(slot, 'closed')
    await this.#slots.stopped()
  }

  leave(): void {
    this.#hasLeft = true
    this.#isClosed = true
    this.#ticker.stop()
    for (const slot of this.#slots) slot.leave()
    this.#giveUp.abort(closed(this.id))
  }

  #wait(
    signal: AbortSignal,
    of: { readonly preferred: string | undefined; readonly isPatient: boolean },
    reason: StartReason,
  ): Promise<Lease> {
    if (this.#isClosed) return Promise.reject(closed(this.id))
    const lease = this.#waiting.add({ ...of, nowMs: this.#nowMs }, signal)
    const own = of.preferred === undefined ? undefined : this.#slots.preferred(of.preferred)
    if (own === undefined) this.#find(reason)
    else own.wake()
    this.#keepTicking()
    return lease
  }

  #lease(slot: InstanceSlot): Lease {
    const lease = this.#slots.lease(slot)
    this.#measure()
    return lease
  }

  #onRelease(): void {
    this.#measure()
    if (this.#waiting.size > 0) this.#serve()
    this.#checkDrained()
  }

  /** Hands instances with room to those that wait, in their order. */
  #serve(): void {
    for (const request of this.#waiting) {
      const own = request.preferred === undefined ? undefined : this.#slots.preferred(request.preferred)
      if (own !== undefined && !own.isAwake) {
        own.wake()
        continue
      }
      const slot = own ?? this.#slots.roomiest()
      if (slot === undefined) break
      request.grant(this.#lease(slot))
    }
    if (this.#waiting.size > 0) this.#find('requests')
  }

  /** Room for those that wait: instances that are paused, then new ones. */
  #find(reason: StartReason): void {
    this.#slots.wake(this.#waiting.size)
    this.#scale(reason)
  }

  #scale(reason: StartReason = 'requests'): void {
    if (this.#isHeld || this.#hasLeft || this.#giveUp.signal.aborted) return
    const { start } = this.#plan()
    const waitMs = this.#starts.backOff.waitMs
    if (start > 0 && waitMs === 0)
      for (let n = 0; n < start; n += 1) {
        const isMinimum = this.#waiting.size === 0 && this.#slots.size + this.#starts.underWay < this.#limits.min
        this.#start(isMinimum ? 'minimum' : reason)
      }
    else if (start > 0 && this.#starts.underWay === 0 && this.#slots.size === 0) this.#refusals.refuseHopeless()
    this.#keepTicking()
  }

  #plan(): ScalingPlan {
    const more = { waiting: this.#waiting.size, starting: this.#starts.underWay }
    const limits = this.#isClosed ? { min: 0, max: this.#limits.max } : this.#limits
    const plan = this.#demand.plan(this.#slots, more, limits, this.#nowMs)
    this.#slots.wanted = plan.wanted
    return plan
  }

  #start(reason: StartReason): void {
    this.#starts.start(
      reason,
      this.#giveUp.signal,
      (instance) => this.#join(instance, false),
      (error) => {
        if (this.#starts.underWay === 0 && this.#slots.size === 0) this.#waiting.refuseAll(error)
        this.#checkDrained()
      },
    )
  }

  #join(instance: PoolInstance, isAdopted: boolean): void {
    const slot = new InstanceSlot(instance, this.#slotOptions, isAdopted)
    if (this.#hasLeft) return
    if (this.#giveUp.signal.aborted) return this.#stop(slot, 'closed')
    this.#slots.add(slot)
    if (this.#ended.delete(instance.id)) return this.#lose(slot)
    if (this.#starts.underWay === 0) this.#ended.clear()
    if (slot.isAwake) slot.rest()
    else slot.wake()
    this.#serve()
    this.#keepTicking()
  }

  #lose(slot: InstanceSlot): void {
    if (!this.#slots.delete(slot)) return
    this.#slots.stop(slot)
    if (slot.hasServed || slot.inFlight > 0 || this.#nowMs - slot.joinedMs >= healthyMs) this.#starts.backOff.reset()
    else this.#starts.failed(crashed(this.id))
    this.#slots.tellLost(slot)
    this.#measure()
    this.#scale()
    this.#checkDrained()
  }

  #stop(slot: InstanceSlot, reason: 'idle' | 'closed'): void {
    this.#options.onEvent?.({ kind: 'stopping', instance: slot.instance.id, reason })
    this.#slots.stop(slot)
  }

  #keepTicking(): void {
    if (!this.#hasLeft && !this.#isEmpty) this.#ticker.start()
  }

  #onTick(sleptMs: number): void {
    if (sleptMs > 0) {
      this.#waiting.slept(sleptMs)
      for (const slot of this.#slots) slot.idleSinceMs += sleptMs // what was wanted before is asked for again by the next plan
    }
    if (this.#waiting.size > 0) {
      this.#refusals.refuseLate(this.#slots.size + this.#starts.underWay >= this.#limits.max)
      this.#serve()
    } else this.#scale()
    const { stop } = this.#plan()
    for (const slot of stop > 0 ? this.#slots.idle.slice(0, stop) : []) {
      this.#slots.delete(slot)
      this.#stop(slot, 'idle')
    }
    if (this.#isEmpty) this.#ticker.stop()
  }

  /** Nothing runs, is wanted or waits. */
  get #isEmpty(): boolean {
    return this.#slots.size + this.#starts.underWay + this.#waiting.size + this.#limits.min === 0
  }

  #measure(): void {
    this.#demand.measure(this.#slots.inFlight, this.#nowMs)
  }

  #checkDrained(): void {
    if (this.#drained !== undefined && this.#slots.inFlight + this.#waiting.size === 0) this.#drained.resolve()
  }

  get #nowMs(): number {
    return this.#options.clock.ticksMs()
  }
}
