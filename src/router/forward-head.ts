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

/** The id of the trace that the client began: `00-32hex-16hex-01`, which comes first, or `32hex/decimal;o=1`. One of zeros is none. */
export function clientTraceId(fields: readonly Field[]): string | undefined {
  let google: string | undefined
  for (const { lower, value } of fields) {
    if (lower === 'traceparent' && /^00-(?!0{32})[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(value)) return value.slice(3, 35)
    if (lower === 'x-cloud-trace-context' && /^(?!0{32})[0-9a-f]{32}(\/\d{1,20})?(;o=[0-3])?$/i.test(value))
      google ??= value.slice(0, 32).toLowerCase()
  }
  return google
}

/** `32hex/decimalspan;o=1`, as applications read it. */
export function googleTrace({ traceId, spanId }: Trace): string {
  return `${traceId}/${Number.parseInt(spanId, 16)};o=1`
}

interface RequestHow {
  /** Passes an upgrade on. */
  readonly upgrade: boolean
  /** Asks for text that is not compressed. */
  readonly plain: boolean
  /** Values that the application sees instead, by header names in lower case. */
  readonly replace?: Readonly<Record<string, string>> | undefined
}

/**
 * The head for the application, with its empty line.
 * Source: run traps 22 to 24.
 */
export function requestForApplication(
  head: RequestHead,
  framing: Framing,
  front: Front,
  remoteIp: string,
  trace: Trace,
  how: RequestHow,
): string {
  return untracedRequest(head, framing, front, remoteIp, how) + requestEnd(trace)
}

/** The same without its end, which differs each time: the rest is made once for a client that repeats itself. */
export function untracedRequest(head: RequestHead, framing: Framing, front: Front, remoteIp: string, how: RequestHow): string {
  const { upgrade, plain, replace } = how
  const named = connectionOptions(head.fields)
  let text = `${head.method} ${targetForApplication(head.target)} HTTP/1.1\r\nHost: ${front.host}\r\n`
  let forwardedFor = ''
  for (const { name, lower, value } of head.fields) {
    if (lower === 'x-forwarded-for') forwardedFor += `${value}, `
    if (ours.has(lower) || hopByHop.has(lower) || named?.has(lower) === true || lower.startsWith('x-google-')) continue
    if (plain && lower === 'accept-encoding') continue
    if (lower === 'origin' || lower === 'referer') text += `${name}: ${toApplication(value, front)}\r\n`
    else if (lower === 'cookie') text += `${name}: ${cookiesToApplication(value, front)}\r\n`
    else text += `${name}: ${replace?.[lower] ?? value}\r\n`
  }
  text += `X-Forwarded-For: ${forwardedFor}${remoteIp}\r\nX-Forwarded-Proto: https\r\nForwarded: for="${remoteIp}";proto=https\r\n`
  if (framing.kind === 'length') text += `Content-Length: ${framing.bytes}\r\n`
  else if (framing.kind === 'chunked') text += 'Transfer-Encoding: chunked\r\n'
  return text + (upgrade ? `Connection: Upgrade\r\nUpgrade: ${valueOf(head.fields, 'upgrade')}\r\n` : 'Connection: keep-alive\r\n')
}

export function requestEnd(trace: Trace): string {
  return `traceparent: 00-${trace.traceId}-${trace.spanId}-01\r\nX-Cloud-Trace-Context: ${googleTrace(trace)}\r\n\r\n`
}

/**
 * The target as the application sees it: letters, digits, `-`, `_` and `~` of the path that came escaped stand for themselves (`%41` is `A`; run
 * trap 51). All else is passed byte for byte, dots above all: `/%2e%2e/` is a path of the application's own.
 */
export function targetForApplication(target: string): string {
  if (!target.includes('%')) return target
  const end = target.indexOf('?')
  const path = end === -1 ? target : target.slice(0, end)
  const decoded = path.replaceAll(/%(?:4[1-9a-f]|5[0-9af]|6[1-9a-f]|7[0-9ae]|3[0-9]|2d)/gi, (escape) =>
    String.fromCharCode(Number.parseInt(escape.slice(1), 16)),
  )
  return end === -1 ? decoded : decoded + target.slice(end)
}

/** The head for the client without its end, which differs each time. `close` tells it that the connection ends after this. */
export function untracedResponse(head: ResponseHead, framing: Framing, front: Front, close: boolean): string {
  const named = connectionOptions(head.fields)
  let text = `HTTP/1.1 ${head.status} ${head.reason}\r\n`
  let setsCookie = false
  let cacheControl = ''
  let changed = ''
  for (const { name, lower, value } of head.fields) {
    if (lower === 'server' || lower === 'x-cloud-trace-context' || lower === 'content-length') continue
    if (head.status === 101 ? lower === 'connection' : hopByHop.has(lower) || named?.has(lower) === true) continue
    const passed = toClientValue(lower, value, front)
    if (passed !== value) changed += changed === '' ? lower : `, ${lower}`
    if (lower === 'set-cookie') setsCookie = true
    if (lower === 'cache-control') cacheControl = value
    else text += `${name}: ${passed}\r\n`
  }
  if (setsCookie || cacheControl !== '') text += `Cache-Control: ${setsCookie ? 'private' : cacheControl}\r\n`
  if (changed !== '') text += `X-Devcloud-Changed: ${changed}\r\n`
  const length = valueOf(head.fields, 'content-length')
  if (framing.kind === 'chunked') text += 'Transfer-Encoding: chunked\r\n'
  else if (length !== '') text += `Content-Length: ${length}\r\n`
  if (head.status === 101) return `${text}Connection: Upgrade\r\n`
  return close ? `${text}Connection: close\r\n` : text
}

/** @param dated whether the application wrote a Date itself */
export function responseEnd(dated: boolean, trace: Trace): string {
  return `${dated ? '' : `Date: ${httpDate()}\r\n`}Server: Google Frontend\r\nX-Cloud-Trace-Context: ${trace.traceId}\r\n\r\n`
}

export function hasDate(head: ResponseHead): boolean {
  return head.fields.some(({ lower }) => lower === 'date')
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
