import type { FastifyReply, FastifyRequest } from 'fastify'
import * as z from 'zod'
import { authorityOf } from '../../../api/routes.ts'
import type { StoredBucket } from '../../../objects/stored.ts'
import { bucketAttributes } from '../bucket-attributes.ts'
import { headerOf } from './call.ts'

/** What the JSON API shows to a page of any origin. */
const exposed = [
  'Content-Length', 'Content-Type', 'Content-Range', 'Content-Encoding', 'Date', 'ETag', 'Location', 'Range', 'Server', 'X-GUploader-UploadID',
  'X-Goog-Generation', 'X-Goog-Hash', 'X-Goog-Metageneration', 'X-Goog-Stored-Content-Encoding', 'X-Goog-Stored-Content-Length',
] // prettier-ignore

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/**
 * The JSON API lets pages of any origin call it, whatever the bucket says; a token is asked for all the same.
 * Source: cloud.google.com/storage/docs/cross-origin, "Cloud Storage CORS support".
 */
export async function allowAnyOrigin(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> {
  const origin = headerOf(request, 'origin')
  if (origin !== undefined && !needsNoToken(request)) {
    reply.headers({
      'access-control-allow-origin': origin,
      'access-control-allow-credentials': 'true',
      'access-control-expose-headers': exposed.join(', '),
      vary: 'Origin',
    })
  }
  if (request.method !== 'OPTIONS') return undefined
  const asked = headerOf(request, 'access-control-request-headers')
  reply.headers({ 'access-control-allow-methods': methods.join(','), 'access-control-max-age': '3600' })
  if (asked !== undefined) reply.header('access-control-allow-headers', asked)
  return reply.code(200).send()
}

/** On this machine's own names whoever asks is the local user: any page of the web could read every object there (S2). */
function needsNoToken(request: FastifyRequest): boolean {
  return /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i.test(authorityOf(request.headers))
}

/** What a browser asks: in a preflight the method and headers are those of the request to come. */
export interface CorsQuestion {
  readonly origin: string
  readonly method: string
  /** Lower case; none outside a preflight. */
  readonly headers: readonly string[]
}

const ruleSchema = z.object({
  origin: z.array(z.string()).default([]),
  method: z.array(z.string()).default([]),
  responseHeader: z.array(z.string()).default([]),
  maxAgeSeconds: z.coerce.number().optional(),
})

/** The headers by which the bucket's first fitting rule lets the page in; none when no rule fits. Pure. */
export function corsHeaders(bucket: StoredBucket, { origin, method, headers }: CorsQuestion): Readonly<Record<string, string>> {
  const rules = (bucketAttributes(bucket).fields.cors ?? []).flatMap((rule) => ruleSchema.safeParse(rule).data ?? [])
  const rule = rules.find((one) => {
    const names = one.responseHeader.map((name) => name.toLowerCase())
    const allowsHeaders = names.includes('*') || headers.every((name) => isSimple(name) || names.some((known) => fits(known, name)))
    return one.origin.some((known) => fits(known, origin)) && one.method.some((known) => known === '*' || known === method) && allowsHeaders
  })
  if (rule === undefined) return {}
  const isAny = rule.origin.includes('*')
  return {
    'access-control-allow-origin': isAny ? '*' : origin,
    ...(!isAny && { vary: 'Origin' }),
    ...(rule.responseHeader.length > 0 && { 'access-control-expose-headers': rule.responseHeader.join(', ') }),
    ...(rule.maxAgeSeconds !== undefined && { 'access-control-max-age': String(rule.maxAgeSeconds) }),
    'access-control-allow-methods': rule.method.join(', '),
    ...(rule.responseHeader.length > 0 && { 'access-control-allow-headers': rule.responseHeader.join(', ') }),
  }
}

/** Headers that a page may send unasked. Source: fetch.spec.whatwg.org, "CORS-safelisted request-header". */
function isSimple(name: string): boolean {
  return ['accept', 'accept-language', 'content-language', 'content-type', 'range'].includes(name)
}

/** `*` stands for any run of characters: `https://*.example.com`, `x-goog-meta-*`. */
function fits(pattern: string, value: string): boolean {
  const [head = '', ...tails] = pattern.split('*')
  if (tails.length === 0) return pattern === value
  const tail = tails.join('*')
  return value.length >= head.length + tail.length && value.startsWith(head) && value.endsWith(tail)
}
