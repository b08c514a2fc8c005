import type { Field, ResponseHead } from './http-head.ts'
import type { InstanceReply } from './instance-request.ts'
import { isPlainText, OriginReplacer, type PublicOrigin } from './public-origins.ts'

/** Passes a reply on to `inner` with public origins replaced in its text. */
export function replacedReply(inner: InstanceReply, origins: readonly PublicOrigin[]): InstanceReply {
  return new ReplacedReply(inner, origins)
}

class ReplacedReply implements InstanceReply {
  readonly #inner: InstanceReply
  readonly #origins: readonly PublicOrigin[]
  #replacer: OriginReplacer | undefined
  #flushing: NodeJS.Timeout | undefined

  constructor(inner: InstanceReply, origins: readonly PublicOrigin[]) {
    this.#inner = inner
    this.#origins = origins
  }

  onContinue(): void {
    this.#inner.onContinue()
  }

  onHead(head: ResponseHead, isWhole: boolean): void {
    if (!isWhole && isPlainText(head.fields)) this.#replacer = new OriginReplacer(this.#origins)
    this.#inner.onHead(head, isWhole)
  }

  onPiece(piece: Buffer): void {
    if (this.#replacer === undefined) return this.#inner.onPiece(piece)
    clearTimeout(this.#flushing)
    this.#inner.onPiece(this.#replacer.next(piece))
    this.#flushing = setTimeout(() => this.#flush(), 20) // what may be the start of an origin waits a moment for the rest of it
  }

  onEnd(trailers: readonly Field[]): void {
    this.#flush()
    this.#inner.onEnd(trailers)
  }

  onDrain(): void {
    this.#inner.onDrain()
  }

  onFailed(): void {
    this.#flush()
    this.#inner.onFailed()
  }

  #flush(): void {
    clearTimeout(this.#flushing)
    const rest = this.#replacer?.rest()
    if (rest !== undefined) this.#inner.onPiece(rest)
  }
}
