/** A start line and its fields, as they were sent. Names keep their case; `lower` is for looking up. */
export interface Field {
  readonly name: string
  readonly lower: string
  readonly value: string
}

export interface RequestHead {
  readonly method: string
  /** The request target, byte for byte. */
  readonly target: string
  readonly minor: 0 | 1
  readonly fields: readonly Field[]
}

export interface ResponseHead {
  readonly status: number
  readonly reason: string
  readonly minor: 0 | 1
  readonly fields: readonly Field[]
}

/** Why a message is refused: the status to answer and words for the body. */
export class HeadError extends Error {
  override readonly name = 'HeadError'
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** Largest head that is read, of requests and responses. */
export const headLimitBytes = 65_536

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const requestLine = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([\x21-\x7e\x80-\xff]+) HTTP\/(\d)\.(\d)$/
const statusLine = /^HTTP\/1\.([01]) (\d{3})(?: ([\t\x20-\x7e\x80-\xff]*))?$/
const badValue = /[\0-\x08\x0a-\x1f\x7f]/

/**
 * Reads a request's head, without its last empty line: `GET / HTTP/1.1\r\nHost: a`. Strict: RFC 9112, sections 2 to 5; what two readers
 * might take for different things is refused.
 * @throws HeadError 400, 431, 505
 */
export function readRequestHead(text: string): RequestHead {
  const end = text.indexOf('\r\n')
  const line = end === -1 ? text : text.slice(0, end)
  const [, method, target, major, minor] = requestLine.exec(line) ?? []
  if (method === undefined || target === undefined) throw new HeadError(400, 'The request line is malformed.')
  if (major !== '1' || (minor !== '0' && minor !== '1')) throw new HeadError(505, 'Only HTTP/1.0 and HTTP/1.1 are spoken here.')
  return { method, target, minor: minor === '1' ? 1 : 0, fields: readFields(text, end) }
}

/** @throws HeadError 502 */
export function readResponseHead(text: string): ResponseHead {
  const end = text.indexOf('\r\n')
  const [, minor, status, reason] = statusLine.exec(end === -1 ? text : text.slice(0, end)) ?? []
  if (status === undefined) throw new HeadError(502, 'The status line is malformed.')
  return { status: Number(status), reason: reason ?? '', minor: minor === '1' ? 1 : 0, fields: readFields(text, end) }
}

function readFields(text: string, firstEnd: number): Field[] {
  const fields: Field[] = []
  let at = firstEnd
  while (at !== -1) {
    const start = at + 2
    at = text.indexOf('\r\n', start)
    const line = at === -1 ? text.slice(start) : text.slice(start, at)
    const colon = line.indexOf(':')
    if (colon < 1) throw new HeadError(400, 'A header line is malformed.')
    const name = line.slice(0, colon)
    if (!token.test(name)) throw new HeadError(400, 'A header name is malformed.')
    const value = trim(line, colon + 1)
    if (badValue.test(value)) throw new HeadError(400, 'A header value holds a control character.')
    fields.push({ name, lower: name.toLowerCase(), value })
  }
  return fields
}

/** Without spaces and tabs around; by hand, as it runs for every header. */
function trim(line: string, from: number): string {
  let start = from
  let end = line.length
  while (start < end && isBlank(line.charCodeAt(start))) start += 1
  while (end > start && isBlank(line.charCodeAt(end - 1))) end -= 1
  return line.slice(start, end)
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09
}
