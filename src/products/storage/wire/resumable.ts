import type { FastifyReply } from 'fastify'
import { pathOf } from '../../../api/routes.ts'
import { CloudError } from '../../../base/cloud-error.ts'
import { uploadNotFound, type Upload } from '../../../objects/uploads.ts'
import { invalid, required } from '../names.ts'
import { bucketOfObject, toObjectResource } from '../object-resource.ts'
import { headerOf, originOf, type Call } from './call.ts'
import { isWhole, planChunk, readContentRange, type Chunk } from './content-range.ts'
import type { Parts } from './parts.ts'
import { readUploadWish, withHeaders, type UploadWish } from './upload-wish.ts'

/** What a session keeps of the request that began it. */
interface Begun extends UploadWish {
  /** X-Upload-Content-Length. */
  readonly lengthBytes: number | undefined
}

/** Begins a session; its address is on the host by which the client came. Source: cloud.google.com/storage/docs/performing-resumable-uploads. */
export async function startUpload({ store, objects }: Parts, call: Call): Promise<FastifyReply> {
  const { request, reply } = call
  const length = headerOf(request, 'x-upload-content-length')
  const input = await call.json()
  const begun: Begun = {
    ...readUploadWish(call, input, headerOf(request, 'x-upload-content-type')),
    lengthBytes: length === undefined || !/^\d+$/.test(length) ? undefined : Number(length),
  }
  objects.checkWish(begun.wish)
  const { bucket, name } = begun.wish
  const { id } = await store.uploads.start(store.bucket(bucket).id, name, JSON.stringify(begun))
  const query = new URLSearchParams({ uploadType: 'resumable', name, upload_id: id })
  reply.headers({ location: `${originOf(request)}${pathOf(request.raw.url ?? '')}?${query}`, 'x-guploader-uploadid': id })
  return reply.code(200).header('content-length', '0').send()
}

/** Takes a chunk in, tells how far a session is, ends or cancels it. */
export async function continueUpload(parts: Parts, call: Call): Promise<object> {
  const id = call.text('upload_id')
  if (id === undefined) throw required('upload_id')
  return parts.store.uploads.exclusively(id, async () => {
    const upload = find(parts, call, id)
    call.reply.header('x-guploader-uploadid', id)
    if (upload.state === 'complete') return JSON.parse(upload.result ?? '{}') as object
    if (upload.state === 'open' && call.request.method !== 'DELETE') return take(parts, call, upload)
    if (upload.state === 'open') await parts.store.uploads.cancel(upload)
    return call.reply.code(499).header('content-length', '0').send()
  })
}

/** @throws CloudError NOT_FOUND for a session of another bucket too */
function find({ store }: Parts, call: Call, id: string): Upload {
  const upload = store.uploads.get(id)
  if (upload.bucketId === store.bucket(call.param('bucket')).id) return upload
  throw uploadNotFound()
}

async function take(parts: Parts, call: Call, upload: Upload): Promise<object> {
  const begun = JSON.parse(upload.request) as Begun
  const chunk = readContentRange(headerOf(call.request, 'content-range'))
  checkLength(begun, chunk)
  const plan = planChunk(chunk, upload.receivedBytes)
  if (plan.kind === 'gap') throw gap(upload)
  if (plan.kind === 'tell') return tellProgress(call, upload)
  if (plan.kind === 'finish') return finish(parts, call, upload, begun)
  const body = cut(call.request.content, plan.skipBytes, plan.lengthBytes)
  const grown = await parts.store.uploads.append(upload, body, plan.isLast)
  return isWhole(chunk, grown.receivedBytes) ? finish(parts, call, grown, begun) : tellProgress(call, grown)
}

async function finish({ store, objects }: Parts, call: Call, upload: Upload, { wish, checksums, lengthBytes }: Begun): Promise<object> {
  if (lengthBytes !== undefined && lengthBytes !== upload.receivedBytes) throw wrongLength(lengthBytes, upload.receivedBytes)
  const content = await store.uploads.content(upload)
  const view = call.view(wish.fields.acl === undefined ? 'noAcl' : 'full')
  const made = await objects.commit(wish, content, withHeaders(call.request, checksums), (object) =>
    store.uploads.complete(upload.id, JSON.stringify(toObjectResource(bucketOfObject(store.bucket(wish.bucket)), object, view))),
  )
  return toObjectResource(bucketOfObject(store.bucket(wish.bucket)), made, view)
}

/** 308, or what a client asks for whose HTTP library takes that for a redirection (storage trap 5). */
function tellProgress({ request, reply }: Call, { receivedBytes }: Upload): FastifyReply {
  if (receivedBytes > 0) reply.header('range', `bytes=0-${receivedBytes - 1}`)
  if (headerOf(request, 'x-guploader-no-308') === 'yes') reply.code(200).header('x-http-status-code-override', '308')
  else reply.code(308)
  return reply.header('content-length', '0').send()
}

/** The body without what is there already. @param lengthBytes what the header said of the whole body */
async function* cut(source: AsyncIterable<Uint8Array>, skipBytes: number, lengthBytes: number | undefined): AsyncGenerator<Uint8Array> {
  let passed = 0
  for await (const chunk of source) {
    const from = Math.min(Math.max(skipBytes - passed, 0), chunk.length)
    passed += chunk.length
    if (passed > (lengthBytes ?? Infinity)) throw invalid('The body is longer than its Content-Range says.', 'Correct the Content-Range.')
    if (from < chunk.length) yield chunk.subarray(from)
  }
}

function checkLength({ lengthBytes }: Begun, { totalBytes }: Chunk): void {
  if (lengthBytes !== undefined && totalBytes !== undefined && lengthBytes !== totalBytes) throw wrongLength(lengthBytes, totalBytes)
}

function wrongLength(promised: number, sent: number): CloudError {
  return invalid(`X-Upload-Content-Length was ${promised}, but the upload has ${sent} bytes.`, 'Start again with the right length.')
}

function gap({ receivedBytes }: Upload): CloudError {
  return new CloudError(
    'UNAVAILABLE',
    `Invalid request. The upload has ${receivedBytes} bytes so far.`,
    'Ask how far the upload is, and go on there.',
  )
}
