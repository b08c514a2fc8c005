import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Log } from '../../../base/log.ts'
import { isOurFault, toStorageError } from './storage-error.ts'

/** Answers with an error of the XML API; without a body to HEAD. Source: cloud.google.com/storage/docs/xml-api/reference-status. */
export function sendXmlError(request: FastifyRequest, reply: FastifyReply, error: unknown, log: Log): FastifyReply {
  const { status, xmlCode, xmlMessage, message } = toStorageError(
    error,
    request.method === 'GET' || request.method === 'HEAD',
    request.headers,
  )
  if (isOurFault(error) && !request.raw.destroyed) log.error({ err: error, url: request.url }, 'request failed')
  reply
    .removeHeader('content-length')
    .removeHeader('content-encoding')
    .code(xmlCode === 'AccessDenied' ? 403 : status)
  if (status === 304) return reply.send()
  reply.type('application/xml; charset=UTF-8')
  const details = message === xmlMessage ? '' : `<Details>${escapeXml(message)}</Details>`
  const body = `<Code>${xmlCode}</Code><Message>${escapeXml(xmlMessage)}</Message>${details}`
  return reply.send(request.method === 'HEAD' ? '' : `<?xml version='1.0' encoding='UTF-8'?><Error>${body}</Error>`)
}

/** Text within an element; what XML 1.0 cannot say becomes a question mark. */
function escapeXml(text: string): string {
  const names: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
  // eslint-disable-next-line no-control-regex
  return text.replaceAll(/[&<>"']/g, (char) => names[char] ?? char).replaceAll(/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, '?')
}
