import { randomUUID } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest, InjectOptions } from 'fastify'
import { admittedAs } from '../../../api/caller.ts'
import { messageOf } from '../../../base/cloud-error.ts'
import { Turn } from '../../../base/turn.ts'
import { invalid } from '../names.ts'
import { batchMark, headerOf, readWhole } from './call.ts'
import { readBoundary, readParts, type Part } from './multipart.ts'
import { decodeUtf8 } from './query.ts'
import { toJsonError, toStorageError } from './storage-error.ts'

/** Source: cloud.google.com/storage/docs/batch, "Limits". */
const callLimit = 100
const bodyLimitBytes = 10 << 20
/** Of one call: a resource, and its headers. */
const callLimitBytes = (1 << 20) + (64 << 10)
const headLimit = 16 << 10
const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']
/** Of the whole request's own connection. */
const connectionHeaders = [
  'host',
  'connection',
  'content-length',
  'content-encoding',
  'transfer-encoding',
  'expect',
  'upgrade',
  'te',
  'trailer',
]

/** Many calls in one request, done one after another; one that fails does not fail the rest (storage trap 32). */
export function serveBatch(app: FastifyInstance): void {
  const handler = async (request: FastifyRequest, reply: FastifyReply) => {
    const boundary = readBoundary(headerOf(request, 'content-type'))
    const calls: BatchCall[] = []
    let sizeBytes = 0
    for await (const part of readParts(request.content, boundary)) {
      if (calls.length === callLimit) throw invalid(`The batch request has more than ${callLimit} calls.`, 'Send several batches.')
      const bytes = await readWhole(part.body, callLimitBytes)
      sizeBytes += bytes.length
      if (sizeBytes > bodyLimitBytes) throw invalid(`The batch request has more than ${bodyLimitBytes} bytes.`, 'Send several batches.')
      calls.push(readCall(part, bytes))
    }
    const between = `batch_${randomUUID()}`
    const parts = Readable.from(answers(app, request, calls, between), { objectMode: false })
    return reply.type(`multipart/mixed; boundary=${between}`).send(parts)
  }
  // Java's client joins its root, which ends with a slash, and the path
  for (const url of ['/batch/storage/v1', '/batch', '//batch/storage/v1']) app.post(url, handler)
}

/** One after another, so that no more than one is held in memory. */
async function* answers(
  app: FastifyInstance,
  request: FastifyRequest,
  calls: readonly BatchCall[],
  between: string,
): AsyncGenerator<string> {
  const turn = new Turn()
  for (const call of calls) {
    yield `--${between}\r\n${await answer(app, request, call)}\r\n`
    if (turn.isOver) await turn.next()
  }
  yield `--${between}--\r\n`
}

interface BatchCall {
  readonly contentId: string | undefined
  readonly method: string
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** `DELETE /storage/v1/b/bucket/o/name HTTP/1.1`, headers, an empty line, the body. */
function readCall({ headers }: Part, bytes: Uint8Array): BatchCall {
  const text = decodeUtf8(bytes).trimStart()
  const gap = /\r?\n\r?\n/.exec(text)
  const [head, payload] = gap === null ? [text, ''] : [text.slice(0, gap.index), text.slice(gap.index + gap[0].length)]
  if (head.length > headLimit) throw invalid('The headers of a call in the batch are too long.', 'Send fewer.')
  const [first = '', ...lines] = head.split(/\r?\n/)
  const [, method, target] = /^(\S+)\s+(\S+)(?:\s+HTTP\/[\d.]+)?\s*$/.exec(first) ?? []
  if (method === undefined || target === undefined)
    throw invalid(`Malformed call in the batch: ${first.slice(0, 200)}`, 'Send METHOD path HTTP/1.1.')
  const own = lines.flatMap((line) => {
    const [, name = '', value = ''] = /^([\w!#$%&'*+.^`|~-]+)[ \t]*:(.*)$/.exec(line) ?? []
    return name === '' || connectionHeaders.includes(name.toLowerCase()) ? [] : [[name.toLowerCase(), value.trim()] as const]
  })
  const path = target.replace(/^https?:\/\/[^/]+/i, '')
  return {
    contentId: headers.get('content-id'),
    method: method.toUpperCase(),
    target: path,
    headers: Object.fromEntries(own),
    body: payload,
  }
}

/** The part that answers a call, with the rights of the whole request unless the call brings its own. */
async function answer(app: FastifyInstance, outer: FastifyRequest, call: BatchCall): Promise<string> {
  const { status, type, etag, body } = await perform(app, outer, call)
  const id = call.contentId?.replace(/^<?(.*?)>?$/, '<response-$1>')
  const lines = [
    'Content-Type: application/http',
    ...(id === undefined ? [] : [`Content-ID: ${id}`]),
    '',
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unknown'}`,
    ...(type === undefined ? [] : [`Content-Type: ${type}`]),
    ...(etag === undefined ? [] : [`ETag: ${etag}`]),
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ]
  return lines.join('\r\n')
}

async function perform(app: FastifyInstance, outer: FastifyRequest, { method, target, headers, body }: BatchCall) {
  try {
    if (!methods.includes(method) || !/^\/storage\/v1\/[!-~]*$/.test(target) || /[?&]alt=media\b/.test(target)) {
      throw invalid(`A batch cannot hold ${method.slice(0, 20)} ${target.slice(0, 200)}.`, 'Send uploads and downloads by themselves.')
    }
    const { host, authorization, 'user-agent': client } = outer.headers
    const given = {
      ...(host !== undefined && { host }),
      ...(authorization !== undefined && { authorization }),
      ...(client !== undefined && { 'user-agent': client }),
    }
    const inherited = { 'x-forwarded-proto': outer.protocol, [batchMark.name]: batchMark.value }
    const inner = await admittedAs(
      outer.raw,
      async () =>
        // fastify sends it once it is awaited
        await app.inject({
          method: method as NonNullable<InjectOptions['method']>,
          url: target,
          headers: { ...given, ...headers, ...inherited },
          payload: body,
        }),
    )
    const { etag, 'content-type': type } = inner.headers
    return { status: inner.statusCode, type, etag, body: inner.body }
  } catch (error) {
    const told = toStorageError(error, false, outer.headers)
    const words = JSON.stringify(toJsonError({ ...told, message: messageOf(error) }))
    return { status: told.status, type: 'application/json; charset=UTF-8', etag: undefined, body: words }
  }
}
