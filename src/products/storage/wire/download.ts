import type { FastifyReply, FastifyRequest } from 'fastify'
import { pipeline, Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { CloudError } from '../../../base/cloud-error.ts'
import type { ObjectKey, ObjectStore } from '../../../objects/object-store.ts'
import type { Preconditions } from '../../../objects/preconditions.ts'
import type { StoredObject } from '../../../objects/stored.ts'
import { objectAttributes } from '../object-attributes.ts'
import { readByteRange } from './byte-range.ts'
import { headerOf } from './call.ts'
import { toEtagHeader, toHeaderText, toObjectHeaders, type Wire } from './object-headers.ts'

export interface MediaRequest {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly key: ObjectKey
  readonly preconditions: Preconditions
  readonly wire: Wire
  readonly query: URLSearchParams
}

/** Sends an object's bytes, or their head. @throws CloudError OBJECT_NOT_FOUND, CONDITION_NOT_MET, NOT_MODIFIED, RANGE */
export function sendMedia(store: ObjectStore, { request, reply, key, preconditions, wire, query }: MediaRequest): FastifyReply {
  refuseCustomerKeys(request)
  const object = store.object(key, preconditions)
  checkEntityTags(request, object, wire)
  reply.headers(toObjectHeaders(store.bucket(key.bucket), object, wire))
  for (const [parameter, header] of Object.entries(overrides)) {
    const value = query.get(parameter)
    if (value !== null) reply.header(header, toHeaderText(value))
  }
  const { fields } = objectAttributes(object)
  if (fields.contentEncoding === 'gzip') reply.header('vary', 'Accept-Encoding')
  const isInflated = fields.contentEncoding === 'gzip' && !acceptsGzip(request) && !/\bno-transform\b/i.test(fields.cacheControl ?? '')
  if (isInflated) {
    reply.removeHeader('accept-ranges').header('warning', '214 UploadServer gunzipped')
    return reply.send(request.method === 'HEAD' ? '' : inflated(store.open(object, 0, object.sizeBytes - 1)))
  }
  if (fields.contentEncoding !== undefined) reply.header('content-encoding', toHeaderText(fields.contentEncoding))
  const range = readByteRange(headerOf(request, 'range'), object.sizeBytes)
  if (range.kind === 'unsatisfiable') {
    for (const header of ['content-encoding', 'content-type', 'content-disposition']) reply.removeHeader(header)
    reply.header('content-range', `bytes */${object.sizeBytes}`)
    throw new CloudError('OUT_OF_RANGE', 'Request range not satisfiable', `Ask for bytes below ${object.sizeBytes}.`, { fault: 'RANGE' })
  }
  const { first, last } = range.kind === 'part' ? range : { first: 0, last: object.sizeBytes - 1 }
  if (range.kind === 'part') reply.code(206).header('content-range', `bytes ${first}-${last}/${object.sizeBytes}`)
  reply.header('content-length', String(last - first + 1))
  return reply.send(request.method === 'HEAD' ? '' : toPayload(store.open(object, first, last)))
}

/** Keys that a customer supplies are not emulated: to pass over them would store in the clear what was meant to be sealed. */
export function refuseCustomerKeys(request: FastifyRequest): void {
  const header = Object.keys(request.headers).find((name) => /^x-goog-(copy-source-)?encryption-/.test(name))
  if (header === undefined) return
  throw new CloudError('UNIMPLEMENTED', 'devcloud does not emulate customer-supplied encryption keys.', `Leave out ${header}.`, {
    fault: 'UNIMPLEMENTED',
  })
}

/** Source: cloud.google.com/storage/docs/xml-api/reference-headers, "Query string parameters". */
const overrides: Readonly<Record<string, string>> = {
  'response-content-disposition': 'content-disposition',
  'response-content-type': 'content-type',
}

/** If-Match, If-None-Match and the two of time. Source: RFC 9110, section 13. */
function checkEntityTags(request: FastifyRequest, object: StoredObject, wire: Wire): void {
  const own = toEtagHeader(object, wire).replaceAll('"', '')
  const names = (header: string) =>
    headerOf(request, header)
      ?.split(',')
      .map((tag) => tag.trim().replace(/^W\//, '').replaceAll('"', ''))
  const matches = (tags: readonly string[]) => tags.includes(own) || tags.includes('*')
  const modifiedS = Math.floor(object.updatedMs / 1000)
  const time = (header: string) => Date.parse(headerOf(request, header) ?? '') / 1000
  const wanted = names('if-match')
  if (wanted === undefined ? modifiedS > time('if-unmodified-since') : !matches(wanted)) throw notMet('CONDITION_NOT_MET')
  const known = names('if-none-match')
  if (known === undefined ? modifiedS <= time('if-modified-since') : matches(known)) throw notMet('NOT_MODIFIED')
}

function notMet(fault: 'CONDITION_NOT_MET' | 'NOT_MODIFIED'): CloudError {
  return new CloudError('FAILED_PRECONDITION', 'At least one of the pre-conditions you specified did not hold.', 'Read it again.', {
    fault,
  })
}

function acceptsGzip(request: FastifyRequest): boolean {
  const codings = (headerOf(request, 'accept-encoding') ?? '').split(',').map((coding) => coding.trim().toLowerCase())
  return codings.some((coding) => /^(gzip|x-gzip|\*)(\s*;(?!\s*q=0(\.0*)?$).*)?$/.test(coding))
}

/** Source: cloud.google.com/storage/docs/transcoding (storage trap 16). */
function inflated(body: Uint8Array | Readable): Readable {
  const source = body instanceof Readable ? body : Readable.from([Buffer.from(body)], { objectMode: false })
  return pipeline(source, createGunzip(), () => {}) // what goes wrong shows on the answer that gunzip's output is piped to
}

function toPayload(body: Uint8Array | Readable): Buffer | Readable {
  return body instanceof Readable ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength)
}
