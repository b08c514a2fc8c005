import { HeadError, type Field, type RequestHead, type ResponseHead } from './http-head.ts'

/** How a body is delimited. Source: RFC 9112, section 6. */
export type Framing =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'close' }

/** @throws HeadError 400 for what desynchronises readers: two lengths, a length beside chunks, chunks in HTTP/1.0, other codings */
export function requestFraming({ fields, minor }: RequestHead): Framing {
  const framing = declaredFraming(fields, minor, 400)
  return framing ?? { kind: 'none' }
}

/** @throws HeadError 502, likewise */
export function responseFraming({ fields, minor, status }: ResponseHead, method: string): Framing {
  const framing = declaredFraming(fields, minor, 502)
  if (method === 'HEAD' || status === 204 || status === 304 || status < 200) return { kind: 'none' }
  return framing ?? { kind: 'close' }
}

function declaredFraming(fields: readonly Field[], minor: 0 | 1, status: number): Framing | undefined {
  let length: string | undefined
  let coding: string | undefined
  for (const { lower, value } of fields) {
    if (lower === 'content-length') {
      if (length !== undefined) throw new HeadError(status, 'Content-Length stands twice.')
      length = value
    } else if (lower === 'transfer-encoding') {
      if (coding !== undefined) throw new HeadError(status, 'Transfer-Encoding stands twice.')
      coding = value
    }
  }
  if (coding !== undefined) {
    if (length !== undefined) throw new HeadError(status, 'Content-Length stands beside Transfer-Encoding.')
    if (minor === 0) throw new HeadError(status, 'HTTP/1.0 has no Transfer-Encoding.')
    if (coding.toLowerCase() !== 'chunked')
      throw new HeadError(status === 400 ? 501 : status, `Transfer-Encoding "${coding}" is not spoken here.`)
    return { kind: 'chunked' }
  }
  if (length === undefined) return undefined
  if (!/^\d{1,15}$/.test(length)) throw new HeadError(status, 'Content-Length is not a number.')
  return { kind: 'length', bytes: Number(length) }
}

/** Follows a body as its bytes pass, and says where it ends. Nothing is held. */
export interface BodyReader {
  readonly done: boolean
  /** Of the body so far, without its framing. */
  readonly payloadBytes: number
  /**
   * Takes `data` from `start` on; answers the index after the last byte of the body in it.
   * @param onData told of each piece without its framing; absent when nobody asks
   * @throws HeadError when chunks are malformed
   */
  take(data: Buffer, start: number, onData?: (piece: Buffer) => void): number
}

export function bodyReader(framing: Framing): BodyReader {
  if (framing.kind === 'chunked') return new ChunkReader()
  return new LengthReader(framing.kind === 'length' ? framing.bytes : framing.kind === 'none' ? 0 : Number.POSITIVE_INFINITY)
}

class LengthReader implements BodyReader {
  payloadBytes = 0
  #left: number
  constructor(bytes: number) {
    this.#left = bytes
  }
  get done(): boolean {
    return this.#left === 0
  }
  take(data: Buffer, start: number, onData?: (piece: Buffer) => void): number {
    const end = Math.min(data.length, start + this.#left)
    this.#left -= end - start
    this.payloadBytes += end - start
    if (end > start) onData?.(data.subarray(start, end))
    return end
  }
}

/** `5\r\nhello\r\n0\r\n\r\n`, strictly: no extensions' line feeds, no bare LF, at most 12 hex digits, no control characters, trailers up to 8 KiB. */
class ChunkReader implements BodyReader {
  #state: 'size' | 'extension' | 'size-lf' | 'data' | 'data-cr' | 'data-lf' | 'trailer' | 'trailer-lf' | 'done' = 'size'
  payloadBytes = 0
  #size = 0
  #digits = 0
  #lineBytes = 0
  #trailerBytes = 0

  get done(): boolean {
    return this.#state === 'done'
  }

  take(data: Buffer, start: number, onData?: (piece: Buffer) => void): number {
    let at = start
    while (at < data.length && this.#state !== 'done') {
      if (this.#state === 'data') {
        const end = Math.min(data.length, at + this.#size)
        onData?.(data.subarray(at, end))
        this.#size -= end - at
        this.payloadBytes += end - at
        at = end
        if (this.#size === 0) this.#state = 'data-cr'
        continue
      }
      this.#step(data[at] as number)
      at += 1
    }
    return at
  }

  #step(byte: number): void {
    switch (this.#state) {
      case 'size':
        return this.#sizeByte(byte)
      case 'extension':
        this.#lineBytes += 1
        if (byte === 0x0d) this.#state = 'size-lf'
        else if (isControl(byte) || this.#lineBytes > 4096) throw malformed()
        return
      case 'size-lf':
        if (byte !== 0x0a) throw malformed()
        this.#state = this.#size === 0 ? 'trailer' : 'data'
        this.#digits = 0
        this.#lineBytes = 0
        return
      case 'data-cr':
        if (byte !== 0x0d) throw malformed()
        this.#state = 'data-lf'
        return
      case 'data-lf':
        if (byte !== 0x0a) throw malformed()
        this.#state = 'size'
        return
      case 'trailer':
        this.#trailerBytes += 1
        if (byte === 0x0d) this.#state = 'trailer-lf'
        else if (isControl(byte) || this.#trailerBytes > 8192) throw malformed()
        else this.#lineBytes += 1
        return
      case 'trailer-lf':
        if (byte !== 0x0a) throw malformed()
        this.#state = this.#lineBytes === 0 ? 'done' : 'trailer'
        this.#lineBytes = 0
    }
  }

  #sizeByte(byte: number): void {
    const digit = hexDigit(byte)
    if (digit >= 0) {
      this.#digits += 1
      if (this.#digits > 12) throw malformed()
      this.#size = this.#size * 16 + digit
    } else if (this.#digits === 0) throw malformed()
    else if (byte === 0x0d) this.#state = 'size-lf'
    else if (byte === 0x3b) this.#state = 'extension'
    else throw malformed()
  }
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const letter = byte | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}

/** All below the space but the tab, and DEL. */
function isControl(byte: number): boolean {
  return (byte < 0x20 && byte !== 0x09) || byte === 0x7f
}

function malformed(): HeadError {
  return new HeadError(400, 'A chunk is malformed.')
}
