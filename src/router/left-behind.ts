import { valueOf } from './forward-head.ts'
import type { ResponseHead } from './http-head.ts'
import type { InstanceReply, InstanceRequest } from './instance-request.ts'
import type { Lease } from './upstream.ts'

/** What goes on at an instance after its client has left or has another answer; cut when its time is over. */
export interface LeftBehind {
  /** The instance's connection or stream is cut, its slot is free. */
  abandon(): void
}

/** The most that is read of a response that nobody wants. */
export const leftBytes = 32 * 2 ** 20

/**
 * Whether a handler goes on without its client. One that has the whole request does, as on Cloud Run, which tells it nothing (run traps 15 and 45).
 * What would never end by itself is cut: a request without its end, and a response that has begun as an event stream or without a length.
 * @param answered the head of a response that has begun
 */
export function mayGoOn(isRequestWhole: boolean, answered: ResponseHead | undefined): boolean {
  if (!isRequestWhole || answered === undefined) return isRequestWhole
  return !isEventStream(answered) && valueOf(answered.fields, 'content-length') !== ''
}

export function isEventStream({ fields }: ResponseHead): boolean {
  return /^text\/event-stream\b/i.test(valueOf(fields, 'content-type'))
}

/** A handler that goes on: its slot stays taken, and what it still says is read and thrown away. */
export class LeftHandler implements LeftBehind, InstanceReply {
  readonly #instance: InstanceRequest
  readonly #lease: Lease
  readonly #onOver: () => void
  #begun: boolean
  #bytes = 0
  #over = false

  /** @param begun whether the response has */
  constructor(instance: InstanceRequest, lease: Lease, begun: boolean, onOver: () => void) {
    this.#instance = instance
    this.#lease = lease
    this.#begun = begun
    this.#onOver = onOver
    lease.onLost = () => this.abandon()
    instance.handOver(this)
  }

  abandon(): void {
    if (this.#over) return
    this.#instance.abandon()
    this.#finish()
  }

  onContinue(): void {}

  onHead(head: ResponseHead, isWhole: boolean): void {
    this.#begun = true
    if (isWhole) this.#finish()
    else if (isEventStream(head)) this.abandon()
  }

  onPiece(piece: Buffer): void {
    this.#bytes += piece.length
    if (this.#bytes > leftBytes) this.abandon()
  }

  onEnd(): void {
    this.#finish()
  }

  onDrain(): void {}

  onFailed(): void {
    if (!this.#begun) this.#lease.broken?.()
    this.#finish()
  }

  #finish(): void {
    if (this.#over) return
    this.#over = true
    this.#lease.release()
    this.#onOver()
  }
}
