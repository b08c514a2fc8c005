import type { FastifyReply, FastifyRequest } from 'fastify'
import { pipeline, Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { CloudError } from '../../../base/cloud-error.ts'
import type { ObjectKey, ObjectStore } from '../../../objects/object-store.ts'
import type { Preconditions } from '../../../objects/preconditions.ts'
import { objectAttributes } from '../object-attributes.ts'
import { readByteRange } from './byte-range.ts'
import { headerOf } from './call.ts'
import { checkEntityTags } from './entity-tags.ts'
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
  reply.header('etag', toEtagHeader(object, wire))
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
    return reply.send(request.method === 'HEAD' ? undefined : inflated(store.open(object, 0, object.sizeBytes - 1)))
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
  return reply.send(request.method === 'HEAD' ? undefined : toPayload(store.open(object, first, last)))
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
