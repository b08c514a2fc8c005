import type { FastifyReply, FastifyRequest } from 'fastify'
import { unknownRoute } from '../../../api/rest.ts'
import { authorityOf, hostOf, pathOf } from '../../../api/routes.ts'
import { sendError } from '../../../api/send-error.ts'
import type { StoredBucket } from '../../../objects/stored.ts'
import { checkAccess, hasAccess } from '../access.ts'
import { invalid, unimplemented } from '../names.ts'
import { headerOf } from './call.ts'
import { corsHeaders } from './cors.ts'
import { sendMedia } from './download.ts'
import type { Parts } from './parts.ts'
import { decodePart, queryOf } from './query.ts'
import { signerOf, unknownSigner, type SignedRequest } from './signed-url.ts'
import { sendXmlError } from './xml-error.ts'
import { bucketOfHost, readXmlTarget } from './xml-target.ts'

export type XmlHandler = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>

/** Query parameters that ask for something else than an object's bytes. */
const subresources = ['acl', 'tagging', 'uploads', 'uploadId', 'retention', 'legal-hold', 'attributes', 'torrent']

/**
 * The XML API: reads of objects by `/BUCKET/OBJECT` or `BUCKET.storage.googleapis.com/OBJECT`, and preflights. The rest is refused by name.
 * Source: cloud.google.com/storage/docs/xml-api/get-object-download.
 */
export function xmlHandler(parts: Parts): XmlHandler {
  return async (request, reply) => {
    try {
      return await answer(parts, request, reply)
    } catch (error) {
      return sendXmlError(request, reply, error, parts.log)
    }
  }
}

async function answer(parts: Parts, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const place = readXmlTarget(hostOf(request.headers), pathOf(request.raw.url ?? '/'))
  const { store } = parts
  const known = place.bucket === undefined ? undefined : store.findBucket(place.bucket)
  if (known === undefined && isOfOthers(request)) return sendError(request, reply, unknownRoute(request), parts.log)
  const isRead = request.method === 'GET' || request.method === 'HEAD'
  const subresource = subresources.find((name) => queryOf(request).has(name))
  if (place.bucket === undefined || place.key === '' || !(isRead || request.method === 'OPTIONS') || subresource !== undefined) {
    throw unimplemented(`${request.method} ${subresource ?? (place.key === '' ? 'of a bucket' : 'of an object')} in the XML API`)
  }
  const bucket = store.bucket(place.bucket)
  if (request.method === 'OPTIONS') return preflight(bucket, request, reply)
  reply.headers(corsOf(bucket, request, request.method, []))
  return read(parts, bucket, decodePart(place.key), request, reply)
}

function read(parts: Parts, bucket: StoredBucket, name: string, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { store, clock } = parts
  const query = queryOf(request)
  const number = (name: string, text: string | undefined) => {
    if (text !== undefined && !/^\d+$/.test(text)) throw invalid(`Invalid value for ${name}: ${text}`, 'Send a whole number.')
    return text === undefined ? undefined : Number(text)
  }
  const key = { bucket: bucket.name, name, generation: number('generation', query.get('generation') ?? undefined) }
  const condition = (header: string) => number(header, headerOf(request, header))
  const preconditions = {
    ifGenerationMatch: condition('x-goog-if-generation-match'),
    ifMetagenerationMatch: condition('x-goog-if-metageneration-match'),
  }
  const signer = signerOf(signedRequest(request, query), parts.signingKeys, clock.nowMs())
  const asker = parts.asker(signer?.isKnown === true ? signer : request.caller)
  const object = store.findObject(key)
  if (signer?.isKnown === false && !hasAccess(asker, 'storage.objects.get', bucket, object)) throw unknownSigner(signer.email)
  checkAccess(asker, 'storage.objects.get', bucket, object)
  return sendMedia(store, { request, reply, key, preconditions, wire: 'xml', query })
}

function signedRequest(request: FastifyRequest, query: URLSearchParams): SignedRequest {
  const { host, bucket, path } = whereOf(request)
  const names = bucketOfHost(host) === undefined ? ['storage.googleapis.com'] : [`${bucket}.storage.googleapis.com`]
  return {
    method: request.method,
    path,
    query,
    headers: request.raw.headers,
    hosts: [...new Set([authorityOf(request.headers), host, ...names])],
    bucket,
    isVirtualHost: bucketOfHost(host) !== undefined,
  }
}

function whereOf(request: FastifyRequest) {
  const host = hostOf(request.headers)
  const path = pathOf(request.raw.url ?? '/')
  return { host, path, bucket: readXmlTarget(host, path).bucket }
}

/** 200 with or without leave, as Google answers. Source: cloud.google.com/storage/docs/cross-origin. */
function preflight(bucket: StoredBucket, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const method = headerOf(request, 'access-control-request-method')
  if (method === undefined || request.headers.origin === undefined)
    throw invalid('Not a preflight.', 'Send Origin and Access-Control-Request-Method.')
  const asked = (headerOf(request, 'access-control-request-headers') ?? '').split(',').flatMap((name) => name.trim().toLowerCase() || [])
  return reply
    .headers(corsOf(bucket, request, method, asked))
    .code(200)
    .header('content-length', '0')
    .send()
}

function corsOf(bucket: StoredBucket, request: FastifyRequest, method: string, headers: readonly string[]) {
  const origin = headerOf(request, 'origin')
  return origin === undefined ? {} : corsHeaders(bucket, { origin, method, headers })
}

/** On the endpoints port a path that is no bucket's may be one of another product, which nobody answers. */
export function isOfOthers(request: FastifyRequest): boolean {
  if (hostOf(request.headers).endsWith('storage.googleapis.com')) return false
  const path = pathOf(request.raw.url ?? '/')
  const looksLikeObject = /^\/[a-z0-9][\w.-]{2,}\/./.test(path) && !/^\/(?:[^/]+\/)?v\d/.test(path)
  return !looksLikeObject || !['GET', 'HEAD'].includes(request.method)
}
