import type { Field, RequestHead, ResponseHead } from './http-head.ts'
import type { Framing } from './framing.ts'
import { cookiesToApplication, cookieToBrowser, toApplication, toBrowser, type Front } from './origin.ts'

/** Fields of one connection only, which are never passed on. Source: RFC 9110, section 7.6.1. */
export const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authorization',
  'proxy-authenticate',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** What the router writes itself, whatever the client sent. */
export const ours = new Set([
  'host',
  'forwarded',
  'x-forwarded-proto',
  'x-forwarded-for',
  'traceparent',
  'x-cloud-trace-context',
  'content-length',
])

export interface Trace {
  /** 32 hex digits. */
  readonly traceId: string
  /** 16 hex digits. */
  readonly spanId: string
}

/** The trace that the client began, or `fresh`. */
export function continuedTrace(fields: readonly Field[], fresh: Trace): Trace {
  for (const { lower, value } of fields) {
    if (lower === 'traceparent' && /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(value))
      return { traceId: value.slice(3, 35), spanId: fresh.spanId }
  }
  return fresh
}

/**
 * The head for the application, with its empty line.
 * @param how `upgrade` passes an upgrade on; `plain` asks for text that is not compressed
 * Source: contract, cloud-run.md section 1, "HTTP front end".
 */
export function requestForApplication(
  head: RequestHead,
  framing: Framing,
  front: Front,
  remoteIp: string,
  trace: Trace,
  { upgrade, plain }: { readonly upgrade: boolean; readonly plain: boolean },
): string {
  const named = connectionOptions(head.fields)
  let text = `${head.method} ${head.target} HTTP/1.1\r\nHost: ${front.host}\r\n`
  let forwardedFor = ''
  for (const { name, lower, value } of head.fields) {
    if (lower === 'x-forwarded-for') forwardedFor += `${value}, `
    if (ours.has(lower) || hopByHop.has(lower) || named?.has(lower) === true || lower.startsWith('x-google-')) continue
    if (plain && lower === 'accept-encoding') continue
    if (lower === 'origin' || lower === 'referer') text += `${name}: ${toApplication(value, front)}\r\n`
    else if (lower === 'cookie') text += `${name}: ${cookiesToApplication(value, front)}\r\n`
    else text += `${name}: ${value}\r\n`
  }
  text += `X-Forwarded-For: ${forwardedFor}${remoteIp}\r\nX-Forwarded-Proto: https\r\nForwarded: for="${remoteIp}";proto=https\r\n`
  text += `traceparent: 00-${trace.traceId}-${trace.spanId}-01\r\nX-Cloud-Trace-Context: ${trace.traceId}/${BigInt(`0x${trace.spanId}`)};o=1\r\n`
  if (framing.kind === 'length') text += `Content-Length: ${framing.bytes}\r\n`
  else if (framing.kind === 'chunked') text += 'Transfer-Encoding: chunked\r\n'
  return `${text}${upgrade ? `Connection: Upgrade\r\nUpgrade: ${valueOf(head.fields, 'upgrade')}` : 'Connection: keep-alive'}\r\n\r\n`
}

/** The head for the client, with its empty line. `close` tells it that the connection ends after this. */
export function responseForClient(head: ResponseHead, framing: Framing, front: Front, trace: Trace, close: boolean): string {
  const named = connectionOptions(head.fields)
  let text = `HTTP/1.1 ${head.status} ${head.reason}\r\n`
  let hasDate = false
  let setsCookie = false
  let cacheControl = ''
  let changed = ''
  for (const { name, lower, value } of head.fields) {
    if (lower === 'server' || lower === 'x-cloud-trace-context' || lower === 'content-length') continue
    if (head.status === 101 ? lower === 'connection' : hopByHop.has(lower) || named?.has(lower) === true) continue
    if (lower === 'date') hasDate = true
    const passed = toClientValue(lower, value, front)
    if (passed !== value) changed += changed === '' ? lower : `, ${lower}`
    if (lower === 'set-cookie') setsCookie = true
    if (lower === 'cache-control') cacheControl = value
    else text += `${name}: ${passed}\r\n`
  }
  if (setsCookie || cacheControl !== '') text += `Cache-Control: ${setsCookie ? 'private' : cacheControl}\r\n`
  if (!hasDate) text += `Date: ${httpDate()}\r\n`
  text += `Server: Google Frontend\r\nX-Cloud-Trace-Context: ${trace.traceId}\r\n`
  if (changed !== '') text += `X-Devcloud-Changed: ${changed}\r\n`
  const length = valueOf(head.fields, 'content-length')
  if (framing.kind === 'chunked') text += 'Transfer-Encoding: chunked\r\n'
  else if (length !== '') text += `Content-Length: ${length}\r\n`
  if (head.status === 101) return `${text}Connection: Upgrade\r\n\r\n`
  return close ? `${text}Connection: close\r\n\r\n` : `${text}\r\n`
}

export function valueOf(fields: readonly Field[], lower: string): string {
  return fields.find((field) => field.lower === lower)?.value ?? ''
}

export function toClientValue(lower: string, value: string, front: Front): string {
  switch (lower) {
    case 'location':
    case 'content-location':
    case 'access-control-allow-origin':
      return toBrowser(value, front)
    case 'set-cookie':
      return cookieToBrowser(value, front)
    case 'strict-transport-security':
      return 'max-age=0' // the application's own would poison every other name under localhost
    default:
      return value
  }
}

/** The fields that `Connection` names beside its usual words; undefined when there is none. */
export function connectionOptions(fields: readonly Field[]): Set<string> | undefined {
  let named: Set<string> | undefined
  for (const { lower, value } of fields) {
    if (lower !== 'connection' || value === 'keep-alive' || value === 'close') continue
    named ??= new Set()
    for (const option of value.toLowerCase().split(',')) named.add(option.trim())
  }
  named?.delete('x-forwarded-for')
  named?.delete('x-forwarded-proto')
  return named
}

let dateText = ''
let dateSecond = 0

/** The time as HTTP writes it, made once a second. */
export function httpDate(): string {
  const second = Math.floor(Date.now() / 1000)
  if (second !== dateSecond) {
    dateSecond = second
    dateText = new Date(second * 1000).toUTCString()
  }
  return dateText
}
