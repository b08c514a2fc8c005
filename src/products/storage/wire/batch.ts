import { randomUUID } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest, InjectOptions } from 'fastify'
import { messageOf } from '../../../base/cloud-error.ts'
import { invalid } from '../names.ts'
import { headerOf, readWhole } from './call.ts'
import { readBoundary, readParts, type Part } from './multipart.ts'
import { toJsonError, toStorageError } from './storage-error.ts'

/** Source: cloud.google.com/storage/docs/batch, "Limits". */
const callLimit = 100
const bodyLimitBytes = 10 << 20

/** Many calls in one request, done one after another; one that fails does not fail the rest (storage trap 32). */
export function serveBatch(app: FastifyInstance): void {
  const handler = async (request: FastifyRequest, reply: FastifyReply) => {
    const boundary = readBoundary(headerOf(request, 'content-type'))
    const calls: BatchCall[] = []
    for await (const part of readParts(request.content, boundary)) {
      if (calls.length === callLimit) throw invalid(`The batch request has more than ${callLimit} calls.`, 'Send several batches.')
      calls.push(await readCall(part))
    }
    const answers: string[] = []
    for (const call of calls) answers.push(await answer(app, request, call))
    const between = `batch_${randomUUID()}`
    const body = answers.map((text) => `--${between}\r\n${text}\r\n`).join('')
    return reply.type(`multipart/mixed; boundary=${between}`).send(`${body}--${between}--\r\n`)
  }
  for (const url of ['/batch/storage/v1', '/batch']) app.post(url, handler)
}

interface BatchCall {
  readonly contentId: string | undefined
  readonly method: string
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** `DELETE /storage/v1/b/bucket/o/name HTTP/1.1`, headers, an empty line, the body. */
async function readCall({ headers, body }: Part): Promise<BatchCall> {
  const text = (await readWhole(body, bodyLimitBytes)).toString('utf8')
  const [, head = '', payload = ''] = /^\s*(.*?)(?:\r?\n\r?\n(.*))?$/s.exec(text) ?? []
  const [first = '', ...lines] = head.split(/\r?\n/)
  const [, method, target] = /^(\S+)\s+(\S+)(?:\s+HTTP\/[\d.]+)?\s*$/.exec(first) ?? []
  if (method === undefined || target === undefined) throw invalid(`Malformed call in the batch: ${first}`, 'Send METHOD path HTTP/1.1.')
  const own = lines.flatMap((line) => {
    const [, name, value] = /^([^:\s]+)\s*:\s*(.*)$/.exec(line) ?? []
    return name === undefined || value === undefined ? [] : [[name.toLowerCase(), value.trim()] as const]
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
    if (!target.startsWith('/storage/v1/') || /[?&]alt=media\b/.test(target)) {
      throw invalid(`A batch cannot hold ${method} ${target}.`, 'Send uploads and downloads by themselves.')
    }
    const { host, authorization } = outer.headers
    const { 'content-length': _length, ...own } = headers
    const given = {
      ...(host !== undefined && { host }),
      ...(authorization !== undefined && { authorization }),
      'x-forwarded-proto': outer.protocol,
    }
    const inner = await app.inject({
      method: method as NonNullable<InjectOptions['method']>,
      url: target,
      headers: { ...given, ...own },
      payload: body,
    })
    const { etag, 'content-type': type } = inner.headers
    return { status: inner.statusCode, type, etag, body: inner.body }
  } catch (error) {
    const told = toStorageError(error, false)
    const words = JSON.stringify(toJsonError({ ...told, message: messageOf(error) }))
    return { status: told.status, type: 'application/json; charset=UTF-8', etag: undefined, body: words }
  }
}
