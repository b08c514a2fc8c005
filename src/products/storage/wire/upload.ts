import { bucketOfObject, toObjectResource } from '../object-resource.ts'
import { invalid } from '../names.ts'
import { headerOf, readWhole, type Call } from './call.ts'
import { readJson } from '../../../api/json-body.ts'
import { withoutNulls } from '../../../api/json-values.ts'
import type { Handler } from './handler.ts'
import { readBoundary, readParts } from './multipart.ts'
import type { Parts } from './parts.ts'
import { continueUpload, startUpload } from './resumable.ts'
import type { Route } from './route-table.ts'
import { decodeHeader } from './query.ts'
import { readUploadWish } from './upload-wish.ts'

/** Google takes 8 KiB of custom metadata; contexts and lists come on top. */
const metadataLimitBytes = 1 << 20

/** Uploads in one request, and in sessions. Source: cloud.google.com/storage/docs/uploads-downloads. */
export function uploadRoutes(parts: Parts): readonly Route<Handler>[] {
  const path = 'b/:bucket/o'
  const session: Handler = (call) => continueUpload(parts, call)
  return [
    { verb: 'POST', path, handle: (call) => (call.text('upload_id') === undefined ? start(parts, call) : session(call)) },
    { verb: 'PUT', path, handle: session },
    { verb: 'DELETE', path, handle: session },
  ]
}

function start(parts: Parts, call: Call): Promise<object> {
  const type = call.text('uploadType') ?? headerOf(call.request, 'x-goog-upload-protocol')
  if (type === 'media') return simple(parts, call)
  if (type === 'multipart') return multipart(parts, call)
  if (type === 'resumable') return startUpload(parts, call)
  throw invalid(`Invalid upload type: ${type ?? 'none'}`, 'Send uploadType=media, multipart or resumable.')
}

async function simple({ objects, store }: Parts, call: Call): Promise<object> {
  const { wish, checksums } = readUploadWish(call, undefined, contentTypeOf(call))
  const made = await objects.insert(wish, call.request.content, checksums)
  return toObjectResource(bucketOfObject(store.bucket(wish.bucket)), made, call.view())
}

/** The resource as JSON, then the bytes. */
async function multipart({ objects, store }: Parts, call: Call): Promise<object> {
  const incoming = readParts(call.request.content, readBoundary(headerOf(call.request, 'content-type')))
  const resource = await incoming.next()
  const input = resource.done === true ? undefined : withoutNulls(readJson(await readWhole(resource.value.body, metadataLimitBytes)) ?? {})
  const media = await incoming.next()
  if (media.done === true) throw invalid('Malformed multipart body.', 'Send two parts: the resource as JSON, then the bytes.')
  const { wish, checksums } = readUploadWish(call, input, media.value.headers.get('content-type'))
  const made = await objects.insert(wish, media.value.body, checksums)
  return toObjectResource(bucketOfObject(store.bucket(wish.bucket)), made, call.view(wish.fields.acl === undefined ? 'noAcl' : 'full'))
}

/** Off the raw request: what is no type is kept as it came. */
function contentTypeOf({ request }: Call): string | undefined {
  const type = request.raw.headers['content-type']
  return type === undefined || type === '' ? undefined : decodeHeader(type)
}
