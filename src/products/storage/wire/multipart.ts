import { invalid } from '../names.ts'
import { decodeUtf8 } from './query.ts'

/** One part of a multipart body. `body` is to be read to its end, or not at all, before the next part is asked for. */
export interface Part {
  /** Lower case names. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: AsyncIterable<Buffer>
}

const headerLimitBytes = 16 << 10
const [carriageReturn, lineFeed] = [0x0d, 0x0a]

/** The boundary of a Content-Type: bare, in double quotes, or in single ones as gcloud sends (storage trap 8). @throws CloudError INVALID_ARGUMENT */
export function readBoundary(contentType: string | undefined): string {
  const match = /^\s*multipart\/[\w-]+\s*;.*?\bboundary\s*=\s*(?:"([^"]+)"|'([^']+)'|([^\s;]+))/i.exec(contentType ?? '')
  const boundary = match?.[1] ?? match?.[2] ?? match?.[3]
  if (boundary === undefined || boundary.length > 200)
    throw invalid('Missing or malformed multipart boundary.', 'Send multipart/related; boundary=...')
  return boundary
}

/**
 * The parts of a multipart body as they come, never a whole one in memory. Lines may end in CRLF or LF, and the last in nothing.
 * @throws CloudError INVALID_ARGUMENT when the closing boundary is missing. Source: RFC 2046, section 5.1.1
 */
export async function* readParts(source: AsyncIterable<Uint8Array>, boundary: string): AsyncGenerator<Part> {
  const window = new Window(source)
  const delimiter = Buffer.from(`\n--${boundary}`)
  window.prepend(Buffer.from('\n')) // the first delimiter may have no line before it
  for await (const _preamble of bodyUpTo(window, delimiter));
  while (await startsPart(window)) {
    const headers = await readHeaders(window)
    window.prepend(Buffer.from('\n')) // an empty body may have no line of its own
    const body = withoutFirst(bodyUpTo(window, delimiter))
    yield { headers, body }
    for await (const _rest of body);
  }
}

/** What is buffered of a source, grown on demand. */
class Window {
  bytes: Buffer = Buffer.alloc(0)
  ended = false
  readonly #source: AsyncIterator<Uint8Array>

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  prepend(head: Buffer): void {
    this.bytes = Buffer.concat([head, this.bytes])
  }

  take(length: number): Buffer {
    const head = this.bytes.subarray(0, length)
    this.bytes = this.bytes.subarray(length)
    return head
  }

  /** Reads on; false at the end of the source. */
  async grow(): Promise<boolean> {
    const next = this.ended ? undefined : await this.#source.next()
    if (next === undefined || next.done === true) {
      this.ended = true
      return false
    }
    const chunk = Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength)
    this.bytes = this.bytes.length === 0 ? chunk : Buffer.concat([this.bytes, chunk])
    return true
  }
}

/** The bytes before the next delimiter, which is taken away; the CR before it too. */
async function* bodyUpTo(window: Window, delimiter: Buffer): AsyncGenerator<Buffer> {
  for (let from = 0; ;) {
    const at = window.bytes.indexOf(delimiter, from)
    if (at < 0) {
      const safe = window.bytes.length - delimiter.length // a CR and all of the delimiter but its last byte may yet be its start
      if (safe > 0) yield window.take(safe)
      from = 0
      if (!(await window.grow())) throw truncated()
      continue
    }
    while (window.bytes.length < at + delimiter.length + 2 && (await window.grow()));
    if (!isDelimiterEnd(window.bytes, at + delimiter.length)) {
      from = at + 1
      continue
    }
    const end = window.bytes[at - 1] === carriageReturn ? at - 1 : at
    const last = window.take(end)
    window.take(at - end + delimiter.length)
    if (last.length > 0) yield last
    return
  }
}

/** After the boundary come two dashes or the end of the line, spaces before it; else the body only looked like it. */
function isDelimiterEnd(bytes: Buffer, at: number): boolean {
  const text = bytes.toString('latin1', at, at + 2)
  return text === '--' || /^[\r\n \t]/.test(text)
}

/** Passes the delimiter's line. False when it was the closing one. */
async function startsPart(window: Window): Promise<boolean> {
  if (window.bytes.toString('latin1', 0, 2) === '--') return false
  await readLine(window)
  return true
}

async function readHeaders(window: Window): Promise<ReadonlyMap<string, string>> {
  const headers = new Map<string, string>()
  for (let size = 0; ;) {
    const line = await readLine(window)
    if (line === '') return headers
    size += line.length
    if (size > headerLimitBytes) throw invalid('The headers of a part are too long.', 'Send fewer.')
    const colon = line.indexOf(':')
    if (colon > 0) headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim())
  }
}

/** A line without its end. */
async function readLine(window: Window): Promise<string> {
  for (;;) {
    const at = window.bytes.indexOf(lineFeed)
    if (at >= 0) return decodeUtf8(window.take(at + 1)).replace(/\r?\n$/, '')
    if (window.bytes.length > headerLimitBytes) throw invalid('The headers of a part are too long.', 'Send fewer.')
    if (!(await window.grow())) throw truncated()
  }
}

/** Without the line feed that was put before the body. */
async function* withoutFirst(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let isFirst = true
  for await (const chunk of body) {
    const rest = isFirst ? chunk.subarray(1) : chunk
    isFirst = false
    if (rest.length > 0) yield rest
  }
}

function truncated() {
  return invalid('Malformed multipart body.', 'End it with the closing boundary.')
}
