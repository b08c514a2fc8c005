import type { Field } from './http-head.ts'

/**
 * An origin of Google's that applications write into their pages, and the one of the same length that answers for it on this machine:
 * a browser here knows nothing of devcloud, and would ask the real one.
 */
export interface PublicOrigin {
  /** `https://storage.googleapis.com` */
  readonly from: string
  /** As many characters as `from`: what is replaced within a body moves no byte of its framing. */
  readonly to: string
}

/** The shortest end of a piece that is held until the next one shows whether an origin goes on there: `https://`. */
const heldBytes = 8

/** Whether a browser asks for something that may hold URLs. Other clients get what the application says. */
export function isBrowserText(fields: readonly Field[]): boolean {
  const site = fields.some(({ lower }) => lower === 'sec-fetch-site')
  return site && fields.some(({ lower, value }) => lower === 'sec-fetch-dest' && /^(document|iframe|frame|empty|style|script)$/.test(value))
}

/** Whether a response is text as it stands. */
export function isPlainText(fields: readonly Field[]): boolean {
  if (fields.some(({ lower, value }) => lower === 'content-encoding' && value !== 'identity')) return false
  return fields.some(
    ({ lower, value }) => lower === 'content-type' && /^(text\/(html|css|javascript)|application\/(json|javascript))\b/i.test(value),
  )
}

/** Replaces origins in the bytes of one body as they pass. */
export class OriginReplacer {
  readonly #origins: readonly { readonly from: Buffer; readonly to: Buffer }[]
  #held: Buffer | undefined

  constructor(origins: readonly PublicOrigin[]) {
    this.#origins = origins.map(({ from, to }) => ({ from: Buffer.from(from), to: Buffer.from(to) }))
  }

  /** What may go on of the bytes held and these. The caller must not use `data` any more: it may be changed. */
  next(data: Buffer): Buffer {
    const all = this.#held === undefined ? data : Buffer.concat([this.#held, data])
    this.#held = undefined
    let partial = 0
    for (const { from, to } of this.#origins) {
      for (let at = all.indexOf(from); at !== -1; at = all.indexOf(from, at + from.length)) to.copy(all, at)
      partial = Math.max(partial, partialAtEnd(all, from))
    }
    if (partial === 0) return all
    this.#held = all.subarray(all.length - partial)
    return all.subarray(0, all.length - partial)
  }

  /** What is still held, when nothing follows. */
  rest(): Buffer | undefined {
    const held = this.#held
    this.#held = undefined
    return held
  }
}

/** How many bytes at the end of `data` begin `origin`; 0 when too few to be told from other URLs. */
function partialAtEnd(data: Buffer, origin: Buffer): number {
  for (let length = Math.min(origin.length - 1, data.length); length >= heldBytes; length -= 1) {
    if (data.compare(origin, 0, length, data.length - length) === 0) return length
  }
  return 0
}
