import type { FastifyRequest } from 'fastify'
import { invalid, required } from '../names.ts'
import { readUploadResource, type UploadResource } from '../object-attributes.ts'
import type { Checksums, ObjectWish } from '../objects.ts'
import { headerOf, type Call } from './call.ts'
import { refuseCustomerKeys } from './download.ts'

/** What an upload is to become, read before its bytes. */
export interface UploadWish {
  readonly wish: ObjectWish
  readonly checksums: Checksums
}

/**
 * @param input the resource that was sent; undefined for a simple upload, whose query tells the name alone
 * @param contentType of the bytes, where the resource has none; else both must agree (storage trap 9)
 * @throws CloudError INVALID_ARGUMENT, UNIMPLEMENTED, ANONYMOUS
 */
export function readUploadWish(call: Call, input: unknown, contentType: string | undefined): UploadWish {
  refuseCustomerKeys(call.request)
  const { name: ownName, md5Hash, crc32c, ...fields }: UploadResource = readUploadResource(input ?? {})
  const bucket = call.param('bucket')
  const name = call.text('name') ?? ownName
  if (name === undefined) throw required('name')
  call.allow('storage.objects.create', bucket)
  call.allowReplacing(bucket, name)
  const contentEncoding = call.text('contentEncoding') ?? fields.contentEncoding
  const type = agreed(fields.contentType, contentType)
  const wish = {
    bucket,
    name,
    fields: { ...fields, ...(type !== undefined && { contentType: type }), ...(contentEncoding !== undefined && { contentEncoding }) },
    predefinedAcl: call.text('predefinedAcl'),
    preconditions: call.preconditions(),
    caller: call.caller,
  }
  return { wish, checksums: withHeaders(call.request, { md5Hash, crc32c }) }
}

/** Checksums in headers too: `x-goog-hash: crc32c=...,md5=...`. */
export function withHeaders(request: FastifyRequest, checksums: Checksums): Checksums {
  const header = [request.headers['x-goog-hash'] ?? []].flat().join(',')
  const find = (kind: string) => new RegExp(`(?:^|[,\\s])${kind}=([\\w+/]+=*)`).exec(header)?.[1]
  return { md5Hash: checksums.md5Hash ?? find('md5') ?? headerOf(request, 'content-md5'), crc32c: checksums.crc32c ?? find('crc32c') }
}

function agreed(resource: string | undefined, body: string | undefined): string | undefined {
  if (resource === undefined || body === undefined || resource === body) return resource ?? body
  throw invalid(
    `Content-Type specified in the upload (${body}) does not match Content-Type specified in metadata (${resource}).`,
    'Send one of them, or the same twice.',
  )
}
