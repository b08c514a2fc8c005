import type { Clock } from '../../base/clock.ts'
import { takesConnections } from '../../base/takes-connections.ts'
import { SwapList, type Listed } from '../swap-list.ts'
import type { Address, Lease } from '../upstream.ts'

export interface PoolInstance {
  readonly id: string
  readonly address: Address
  /** Ends and removes it; one that is paused gets its CPU back first. */
  stop(): Promise<void>
  /** Takes its CPU, and gives it back. Idempotent. Absent where that cannot be done. */
  pause?(): Promise<void>
  resume?(): Promise<void>
}

/** How many times in a row an instance may fail to get its CPU back before it counts as lost. */
const mostFailures = 3

/** An instance whose connection broke is asked so often, so far apart, until it counts as lost. */
const suspectTries = 20
const suspectMs = 100

export interface SlotOptions {
  readonly clock: Clock
  /** How long after its last request an instance is paused; undefined when it keeps its CPU. */
  readonly pauseAfterMs: number | undefined
  /** It has its CPU again. */
  readonly onAwake: (slot: InstanceSlot) => void
  /** It does not come back. */
  readonly onLost: (slot: InstanceSlot) => void
}

/**
 * An instance in a pool: its requests under way, and its CPU. It is paused only without a request, and a request is handed over only while
 * `isAwake`: both are decided in one turn of the event loop, so neither can slip between.
 */
export class InstanceSlot {
  readonly instance: PoolInstance
  readonly joinedMs: number
  inFlight = 0
  /** Those under way, to be told when it is gone. */
  readonly leases = new SwapList<Lease & Listed>()
  isReady = true
  /** Whether it has taken a request to its end. */
  hasServed = false
  /** Ticks since which it has no request. */
  idleSinceMs: number
  /** Order of use: the larger the later. */
  lastUse = 0
  readonly #options: SlotOptions
  #cpu: 'on' | 'pausing' | 'off' | 'resuming' = 'on'
  /** A connection to it broke: it may have ended, which the engine tells a moment later. */
  #isSuspect = false
  #isWanted = false
  #isGone = false
  #failures = 0
  #timer: NodeJS.Timeout | undefined
  /** The pause or resume under way. */
  #turn: Promise<void> = Promise.resolve()

  /** @param isPaused for one that was taken over, whose CPU nobody knows: it is given back first */
  constructor(instance: PoolInstance, options: SlotOptions, isPaused = false) {
    this.instance = instance
    this.#options = options
    this.joinedMs = options.clock.ticksMs()
    this.idleSinceMs = this.joinedMs
    if (isPaused && instance.resume !== undefined) this.#cpu = 'off'
  }

  get isAwake(): boolean {
    return this.#cpu === 'on' && !this.#isSuspect
  }

  get isPaused(): boolean {
    return this.#cpu === 'off' || this.#cpu === 'pausing'
  }

  /** Gives it its CPU; `onAwake` tells when it has it. */
  wake(): void {
    this.#isWanted = true
    if (this.#cpu === 'off' && !this.#isGone) this.#resume()
  }

  /** It is given no request until it takes a connection; after a while without one it counts as lost. */
  suspect(): void {
    if (this.#isSuspect || this.#isGone) return
    this.#isSuspect = true
    void this.#ask(suspectTries)
  }

  /** It has no request any more. */
  rest(): void {
    this.idleSinceMs = this.#options.clock.ticksMs()
    const { pauseAfterMs } = this.#options
    if (pauseAfterMs !== undefined && this.instance.pause !== undefined) this.#pauseIn(pauseAfterMs, pauseAfterMs)
  }

  /** Ends it, after a pause or resume that is under way. */
  async stop(): Promise<void> {
    this.leave()
    await this.#turn
    await this.instance.stop()
  }

  /** Does nothing more to it. */
  leave(): void {
    this.#isGone = true
    clearTimeout(this.#timer)
  }

  /** One timer that looks again serves all requests of the time between: a busy instance sets none. */
  #pauseIn(ms: number, pauseAfterMs: number): void {
    if (this.#timer !== undefined || this.#isGone) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      if (this.inFlight > 0 || this.#cpu !== 'on' || this.#isGone) return
      const restMs = this.idleSinceMs + pauseAfterMs - this.#options.clock.ticksMs()
      if (restMs > 1) this.#pauseIn(restMs, pauseAfterMs)
      else this.#pause()
    }, ms)
    this.#timer.unref()
  }

  async #ask(tries: number): Promise<void> {
    const takes = await takesConnections(this.instance.address, 500)
    if (this.#isGone) return
    if (takes) {
      this.#isSuspect = false
      this.#options.onAwake(this)
    } else if (tries === 0) this.#options.onLost(this)
    else setTimeout(() => void this.#ask(tries - 1), suspectMs).unref()
  }

  #pause(): void {
    this.#cpu = 'pausing'
    this.#isWanted = false
    const done = () => {
      this.#cpu = 'off' // also when it failed: to resume what runs does no harm
      if (this.#isWanted && !this.#isGone) this.#resume()
    }
    this.#turn = (this.instance.pause?.() ?? Promise.resolve()).then(done, done)
  }

  #resume(): void {
    this.#cpu = 'resuming'
    this.#turn = (this.instance.resume?.() ?? Promise.resolve()).then(
      () => {
        this.#cpu = 'on'
        this.#failures = 0
        if (this.#isGone) return
        this.#options.onAwake(this)
        if (this.inFlight === 0) this.rest()
      },
      () => {
        this.#cpu = 'off' // whoever waits for it asks again
        this.#failures += 1
        if (this.#failures >= mostFailures && !this.#isGone) this.#options.onLost(this)
      },
    )
  }
}
