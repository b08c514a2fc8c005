import type { FastifyReply, FastifyRequest } from 'fastify'
import { CloudError, codes, type Code } from '../base/cloud-error.ts'
import type { Log } from '../base/log.ts'
import { escapeMessage } from './grpc-message.ts'
import { toRestError } from './status.ts'

/** The header with the percent-encoded `next` of an error, for devcloud's own commands: Google's form of an error has no such field. */
export const nextHeader = 'x-devcloud-next'

/** Sends an error: Google's form in JSON, or trailers to a gRPC call. An error that is no CloudError is logged, and the client gets INTERNAL without details. */
export async function sendError(request: FastifyRequest, reply: FastifyReply, error: unknown, log: Log): Promise<FastifyReply> {
  const told = toClientError(error)
  if (!(told instanceof CloudError)) log.error({ err: error, url: request.url }, 'request failed')
  const { http, body } = toRestError(told, request.headers)
  if (request.headers['content-type']?.startsWith('application/grpc') !== true) {
    if (told instanceof CloudError) reply.header(nextHeader, escapeMessage(told.next))
    return reply.code(http).type('application/json; charset=UTF-8').send(JSON.stringify(body))
  }
  reply.hijack()
  const { raw } = reply
  raw.writeHead(200, { 'content-type': 'application/grpc' })
  raw.addTrailers({
    'grpc-status': String(told instanceof CloudError ? codes[told.code].grpc : codes.INTERNAL.grpc),
    'grpc-message': escapeMessage(body.error.message),
  })
  raw.end()
  return reply
}

/** Translates fastify's own refusals (body too large, bad content length), which carry a status below 500. */
function toClientError(error: unknown): unknown {
  if (error instanceof CloudError) return error
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined
  if (typeof status !== 'number' || status >= 500 || !(error instanceof Error)) return error
  const code = (Object.keys(codes) as Code[]).find((name) => codes[name].http === status) ?? 'INVALID_ARGUMENT'
  return new CloudError(code, error.message, 'Correct the request.')
}
