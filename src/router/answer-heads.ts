import { HeadError, headLimitBytes, readResponseHead, type ResponseHead } from './http-head.ts'
import { kept } from './shared-reads.ts'

/** An instance may send so many interim answers before its own. */
const mostInterims = 16

export interface WholeHead {
  readonly head: ResponseHead
  /** From its first byte on. */
  readonly bytes: Buffer
  /** Index in `bytes` behind the empty line that ends the head. */
  readonly end: number
}

/** Gathers the head of an instance's answer over HTTP/1.1 from the pieces in which it comes. Interim answers but 100 are dropped. */
export class AnswerHeads {
  #pending: Buffer | undefined = undefined
  #interims = 0

  /** Whether a part of a head is there. */
  get hasBegun(): boolean {
    return this.#pending !== undefined
  }

  /** What was held with `data` behind it; nothing is held any more. */
  add(data: Buffer): Buffer {
    const all = this.#pending === undefined ? data : Buffer.concat([this.#pending, data])
    this.#pending = undefined
    return all
  }

  /**
   * The first head in `all` that is no interim answer. When it is not whole, the rest of `all` is held, and the answer is undefined.
   * @throws HeadError 502 for a head that is malformed or larger than 64 KiB, and for too many interim answers
   */
  next(all: Buffer, onContinue: () => void): WholeHead | undefined {
    for (let start = 0; ;) {
      const end = all.indexOf('\r\n\r\n', start)
      if ((end === -1 ? all.length : end) - start > headLimitBytes) throw new HeadError(502, 'The response head is larger than 64 KiB.')
      if (end === -1) {
        if (start < all.length) this.#pending = kept(all.subarray(start))
        return undefined
      }
      const head = readResponseHead(all.toString('latin1', start, end))
      if (head.status >= 200 || head.status === 101) return { head, bytes: all.subarray(start), end: end + 4 - start }
      this.#interims += 1
      if (this.#interims > mostInterims) throw new HeadError(502, 'The instance sends nothing but interim answers.')
      if (head.status === 100) onContinue()
      start = end + 4
    }
  }
}
