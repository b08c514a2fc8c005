import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { hostOf, pathOf } from '../../../api/routes.ts'
import { escapeHtml } from '../../../base/escape-html.ts'
import type { Log } from '../../../base/log.ts'
import { unimplemented } from '../names.ts'
import { aclRoutes } from './json-acl.ts'
import { serveBatch } from './batch.ts'
import { Call } from './call.ts'
import { allowAnyOrigin } from './cors.ts'
import type { Handler } from './handler.ts'
import { sendJson } from './json-answer.ts'
import { bucketRoutes } from './json-buckets.ts'
import { copyRoutes } from './json-copies.ts'
import { downloadRoutes, objectRoutes } from './json-objects.ts'
import { checkParameters } from './parameters.ts'
import type { Parts } from './parts.ts'
import { routeTable, type Route } from './route-table.ts'
import { isOurFault, toJsonError, toStorageError } from './storage-error.ts'
import { uploadRoutes } from './upload.ts'
import { bucketOfHost } from './xml-target.ts'
import type { XmlHandler } from './xml.ts'

/** The JSON API, its uploads and downloads. Source: cloud.google.com/storage/docs/json_api/v1. */
export async function serveJson(app: FastifyInstance, parts: Parts, readXml: XmlHandler): Promise<void> {
  app.addHook('onRequest', async (request, reply) => {
    if (bucketOfHost(hostOf(request.headers)) === undefined) return allowAnyOrigin(request, reply)
    return readXml(request, reply) // there the path is an object's name, whatever it looks like
  })
  app.setErrorHandler((error, request, reply) => sendJsonError(request, reply, error, parts.log))
  const uploads = uploadRoutes(parts)
  const routes = [...bucketRoutes(parts), ...objectRoutes(parts), ...copyRoutes(parts), ...aclRoutes(parts)]
  mount(app, '/storage/v1', routes, parts)
  mount(app, '', routes, parts, ['/b', '/b/*']) // Node's client by STORAGE_EMULATOR_HOST leaves /storage/v1 out; no bucket has so short a name
  mount(app, '/download/storage/v1', downloadRoutes(parts), parts)
  mount(app, '/upload/storage/v1', uploads, parts)
  mount(app, '/resumable/upload/storage/v1', uploads, parts)
  serveBatch(app)
}

const verbs = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

function mount(app: FastifyInstance, base: string, routes: readonly Route<Handler>[], parts: Parts, urls = [`${base}/*`]): void {
  const find = routeTable(routes)
  for (const url of urls) {
    app.route({
      method: verbs,
      url,
      async handler(request, reply) {
        const verb = request.method
        const path = pathOf(request.raw.url ?? '').slice(base.length + 1)
        const found = find(verb === 'HEAD' ? 'GET' : verb, path)
        if (found === undefined) throw unimplemented(`${verb} ${base}/${path}`)
        const call = new Call(request, reply, found.params, parts)
        checkParameters(call.query, parts.log)
        const answer = await found.handle(call)
        if (answer === reply) return reply
        if (answer === undefined) return reply.code(204).send()
        return sendJson(request, reply, answer, call.turn)
      },
    })
  }
}

/** A refusal of bytes is told in words, as Google does (storage trap 18), any other as JSON. */
export function sendJsonError(request: FastifyRequest, reply: FastifyReply, error: unknown, log: Log): FastifyReply {
  const told = toStorageError(error, request.method === 'GET' || request.method === 'HEAD', request.headers)
  if (isOurFault(error) && !request.raw.destroyed) log.error({ err: error, url: request.url }, 'request failed')
  if (told.status === 401) reply.header('www-authenticate', 'Bearer realm="https://accounts.google.com/"')
  reply.removeHeader('content-length').removeHeader('content-encoding').code(told.status)
  if (told.status === 304) return reply.send()
  const isMedia = request.url.startsWith('/download/') || (request.method === 'GET' && /[?&]alt=media(&|$)/.test(request.url))
  if (isMedia) return reply.type('text/html; charset=UTF-8').send(escapeHtml(told.message)) // names of objects are anybody's text
  return reply.type('application/json; charset=UTF-8').send(JSON.stringify(toJsonError(told)))
}
