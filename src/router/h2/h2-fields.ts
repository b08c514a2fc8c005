import {
  connectionOptions,
  googleTrace,
  hopByHop,
  httpDate,
  ours,
  targetForApplication,
  toClientValue,
  type Trace,
} from '../forward-head.ts'
import { cookiesToApplication, toApplication, type Front } from '../origin.ts'
import { HeadError, type Field, type RequestHead, type ResponseHead } from '../http-head.ts'

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const visible = /^[\x21-\x7e\x80-\xff]+$/
const badValue = /[\0-\x08\x0a-\x1f\x7f]/

/** The request of a stream. */
export interface H2Request {
  readonly head: RequestHead
  /** Lower case, without its port; `port` is `:8080` or empty. */
  readonly host: string
  readonly port: string
}

/** Names and values in turn, without the pseudo headers. node:http2 gives them in lower case, one entry a field line. */
export function toFields(raw: readonly string[]): Field[] {
  const fields: Field[] = []
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at] as string
    if (name.charCodeAt(0) !== 0x3a) fields.push({ name, lower: name, value: raw[at + 1] as string })
  }
  return fields
}

/**
 * Reads a request's header block. Strict, since it may go on as HTTP/1.1: RFC 9113, section 8.
 * @throws HeadError 400 what no client may send, 405 CONNECT and TRACE, 417, 421 a target that is no path
 */
export function readH2Request(raw: readonly string[]): H2Request {
  const pseudo: Record<string, string> = {}
  const fields: Field[] = []
  let cookie: string | undefined
  let hosts = 0
  let hostField = ''
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at] as string
    const value = raw[at + 1] as string
    if (name.charCodeAt(0) === 0x3a) {
      pseudo[name] = value
      continue
    }
    if (!token.test(name) || badValue.test(value)) throw new HeadError(400, 'A header is malformed.')
    if (name === 'cookie') {
      cookie = cookie === undefined ? value : `${cookie}; ${value}` // RFC 9113, 8.2.3: a client may send it in pieces
      continue
    }
    if (name === 'expect' && value.toLowerCase() !== '100-continue') throw new HeadError(417, `Expect "${value}" cannot be met.`)
    if (name === 'host') {
      hosts += 1
      hostField = value
    }
    fields.push({ name, lower: name, value })
  }
  if (cookie !== undefined) fields.push({ name: 'cookie', lower: 'cookie', value: cookie })
  const method = pseudo[':method'] ?? ''
  const target = pseudo[':path'] ?? ''
  if (method === 'CONNECT' || method === 'TRACE') throw new HeadError(405, `${method} is not passed on.`)
  if (!token.test(method) || !visible.test(target)) throw new HeadError(400, 'The request is malformed.')
  if (!target.startsWith('/') && !(target === '*' && method === 'OPTIONS'))
    throw new HeadError(421, 'This is no proxy: send a path, not a whole URL.')
  const authority = pseudo[':authority'] ?? hostField
  if (hosts > 1 || (hosts === 1 && hostField.toLowerCase() !== authority.toLowerCase()))
    throw new HeadError(400, 'A request needs exactly one Host.')
  const [, host, port] = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?$/.exec(authority.toLowerCase()) ?? []
  if (host === undefined) throw new HeadError(400, 'The Host header is malformed.')
  return { head: { method, target, minor: 1, fields }, host: host.replace(/\.$/, ''), port: port ?? '' }
}

/** The header block for an application that speaks HTTP/2: the same as `requestForApplication` tells one of HTTP/1.1. */
export function h2RequestForApplication(head: RequestHead, front: Front, remoteIp: string, trace: Trace, plain: boolean): string[] {
  const named = connectionOptions(head.fields)
  const raw = [':method', head.method, ':scheme', 'https', ':authority', front.host, ':path', targetForApplication(head.target)]
  let forwardedFor = ''
  for (const { lower, value } of head.fields) {
    if (lower === 'x-forwarded-for') forwardedFor += `${value}, `
    if (lower === 'content-length') raw.push(lower, value)
    else if (lower === 'te' && /(^|,)\s*trailers\s*(,|$)/i.test(value)) raw.push('te', 'trailers') // gRPC's servers may insist on it
    if (ours.has(lower) || hopByHop.has(lower) || named?.has(lower) === true || lower.startsWith('x-google-')) continue
    if (plain && lower === 'accept-encoding') continue
    if (lower === 'origin' || lower === 'referer') raw.push(lower, toApplication(value, front))
    else if (lower === 'cookie') raw.push(lower, cookiesToApplication(value, front))
    else raw.push(lower, value)
  }
  raw.push('x-forwarded-for', forwardedFor + remoteIp, 'x-forwarded-proto', 'https', 'forwarded', `for="${remoteIp}";proto=https`)
  raw.push('traceparent', `00-${trace.traceId}-${trace.spanId}-01`)
  raw.push('x-cloud-trace-context', googleTrace(trace))
  return raw
}

/** The header block for a client that speaks HTTP/2: the same as `responseForClient` tells one of HTTP/1.1. */
export function h2ResponseForClient(head: ResponseHead, front: Front, trace: Trace): string[] {
  const named = connectionOptions(head.fields)
  const raw = [':status', String(head.status)]
  let hasDate = false
  let setsCookie = false
  let cacheControl = ''
  let changed = ''
  for (const { lower, value } of head.fields) {
    if (lower === 'server' || lower === 'x-cloud-trace-context' || hopByHop.has(lower) || named?.has(lower) === true) continue
    if (lower === 'date') hasDate = true
    const passed = toClientValue(lower, value, front)
    if (passed !== value) changed += changed === '' ? lower : `, ${lower}`
    if (lower === 'set-cookie') setsCookie = true
    if (lower === 'cache-control') cacheControl = value
    else raw.push(lower, passed)
  }
  if (setsCookie || cacheControl !== '') raw.push('cache-control', setsCookie ? 'private' : cacheControl)
  if (!hasDate) raw.push('date', httpDate())
  raw.push('server', 'Google Frontend', 'x-cloud-trace-context', trace.traceId)
  if (changed !== '') raw.push('x-devcloud-changed', changed)
  return raw
}

/** Trailers go on as they are, but for what no trailer may be. */
export function h2Trailers(fields: readonly Field[]): string[] {
  return fields.flatMap(({ lower, value }) => (hopByHop.has(lower) || lower === 'content-length' ? [] : [lower, value]))
}
