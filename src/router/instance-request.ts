import type { Field, ResponseHead } from './http-head.ts'

/** One request on its way to an instance, whatever the instance speaks. Bodies are pieces without framing; the slower side sets the pace. */
export interface InstanceRequest {
  /** A piece of the request's body. False when the instance lags: no more until `onDrain`. */
  write(piece: Buffer): boolean
  /** The request's body is whole. */
  end(): void
  /** No more of the response for now. */
  pause(): void
  resume(): void
  /** Who asked is gone: `reply` reads all that still comes. Only for a request that is whole; it is not sent once more. */
  handOver(reply: InstanceReply): void
  /** Given up: the instance sees the end of its connection or stream. Nothing is told of it any more. */
  abandon(): void
}

/** Who reads what an instance answers. */
export interface InstanceReply {
  /** 100: a client that waits for it may send its body. */
  onContinue(): void
  /** @param isWhole the head is all there is: no body, no trailers follow, and `onEnd` is not called */
  onHead(head: ResponseHead, isWhole: boolean): void
  onPiece(piece: Buffer): void
  onEnd(trailers: readonly Field[]): void
  /** The instance takes more of the request's body. */
  onDrain(): void
  /** The instance went away, or does not speak as it should. */
  onFailed(): void
}
