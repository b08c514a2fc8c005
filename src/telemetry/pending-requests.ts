import type { LoggedRequest } from './logged-request.ts'

const chunkBytes = 1 << 18
/** As many bytes as are held: requests with long targets give way earlier. */
const mostChunks = 64
/** 8 bytes each for `timeMs`, `latencyMs`, `requestBytes`, `responseBytes`; 2 for `status`, 4 for the length of the texts behind. */
const fixedBytes = 38

interface Chunk {
  readonly bytes: Buffer
  start: number
  end: number
}

/**
 * The requests that are not on disk yet, oldest first; of too many the oldest give way, which the ring on disk would drop as well. Requests are
 * kept as bytes: an object that lives for a second is moved twice by the garbage collector, and with it the head that its texts were cut from.
 */
export class PendingRequests {
  readonly #chunks: Chunk[] = []
  readonly #size: number
  #spare: Buffer | undefined
  length = 0

  constructor(size: number) {
    this.#size = size
  }

  push(request: LoggedRequest): void {
    if (this.length === this.#size) this.#drop()
    const { project, service, revision, instance, method, target, userAgent, remoteIp, traceId } = request
    const texts = `${project}\n${service}\n${revision}\n${instance}\n${method}\n${target}\n${userAgent}\n${remoteIp}\n${traceId}`
    const chunk = this.#withRoom(fixedBytes + 3 * texts.length) // UTF-8 takes up to 3 bytes for a unit of UTF-16
    const { bytes, end } = chunk
    bytes.writeDoubleLE(request.timeMs, end)
    bytes.writeDoubleLE(request.latencyMs, end + 8)
    bytes.writeDoubleLE(request.requestBytes, end + 16)
    bytes.writeDoubleLE(request.responseBytes, end + 24)
    bytes.writeUInt16LE(request.status, end + 32)
    const length = bytes.write(texts, end + fixedBytes, 'utf8')
    bytes.writeUInt32LE(length, end + 34)
    chunk.end += fixedBytes + length
    this.length += 1
  }

  /** The oldest one. @throws RangeError when there is none */
  take(): LoggedRequest {
    const chunk = this.#chunks[0]
    if (chunk === undefined) throw new RangeError('No request is pending.')
    const request = read(chunk.bytes, chunk.start)
    this.#drop()
    return request
  }

  all(): LoggedRequest[] {
    const requests: LoggedRequest[] = []
    for (const { bytes, start, end } of this.#chunks) for (let at = start; at < end; at = after(bytes, at)) requests.push(read(bytes, at))
    return requests
  }

  #withRoom(most: number): Chunk {
    const last = this.#chunks.at(-1)
    if (last !== undefined && last.bytes.length - last.end >= most) return last
    while (this.#chunks.length >= mostChunks) this.#drop()
    const isLong = most > chunkBytes
    const bytes = (isLong ? undefined : this.#spare) ?? Buffer.allocUnsafeSlow(isLong ? most : chunkBytes)
    if (bytes === this.#spare) this.#spare = undefined
    const chunk = { bytes, start: 0, end: 0 }
    this.#chunks.push(chunk)
    return chunk
  }

  /** Forgets the oldest one. */
  #drop(): void {
    const chunk = this.#chunks[0]
    if (chunk === undefined) return
    chunk.start = after(chunk.bytes, chunk.start)
    this.length -= 1
    if (chunk.start < chunk.end) return
    this.#chunks.shift()
    if (chunk.bytes.length === chunkBytes) this.#spare = chunk.bytes
  }
}

function after(bytes: Buffer, at: number): number {
  return at + fixedBytes + bytes.readUInt32LE(at + 34)
}

function read(bytes: Buffer, at: number): LoggedRequest {
  const texts = bytes.toString('utf8', at + fixedBytes, after(bytes, at)).split('\n')
  const [project = '', service = '', revision = '', instance = '', method = '', target = '', userAgent = '', remoteIp = '', traceId = ''] =
    texts
  return {
    timeMs: bytes.readDoubleLE(at),
    project,
    service,
    revision,
    instance,
    method,
    target,
    status: bytes.readUInt16LE(at + 32),
    latencyMs: bytes.readDoubleLE(at + 8),
    requestBytes: bytes.readDoubleLE(at + 16),
    responseBytes: bytes.readDoubleLE(at + 24),
    userAgent,
    remoteIp,
    traceId,
  }
}
