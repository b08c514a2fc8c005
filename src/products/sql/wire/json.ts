import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { requireCaller } from '../../../api/caller.ts'
import { isSystemParameter, unknownParameter } from '../../../api/rest-request.ts'
import { CloudError, messageOf } from '../../../base/cloud-error.ts'
import { readJson } from '../../../api/json-body.ts'
import { withoutNulls } from '../../../api/json-values.ts'
import { checkProject } from '../../../api/names.ts'
import type { Log } from '../../../base/log.ts'
import { readInstanceId } from '../names.ts'
import { refusedRoutes } from './refused.ts'
import { sqlRoutes, type Call, type SqlAdmin } from './routes.ts'
import { toSqlError } from './sql-error.ts'

/** gcloud, Terraform and the proxies use v1beta4; newer clients the two others. The same handlers answer all three. */
const prefixes = ['/sql/v1beta4', '/sql/v1', '/v1']

/**
 * The Cloud SQL Admin API in JSON. Parameters of Google's front end (fields, alt, key, prettyPrint) change nothing (sql trap 45); others that a method does not have are refused.
 * @param projectId the id of a project by id or number
 */
export function sqlAdminWire(admin: SqlAdmin, projectId: (idOrNumber: string) => string, log: Log): FastifyPluginAsync {
  return async (app) => {
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
    app.addHook('onRequest', async (request) => void requireCaller(request.caller))
    app.setErrorHandler((error, request, reply) => sendSqlError(request, reply, error, log))
    for (const [method, path, answer, ...parameters] of sqlRoutes(admin)) {
      const handler = async (request: FastifyRequest) => {
        checkQuery(Object.keys(request.query as object), parameters)
        return answer(readCall(request, projectId))
      }
      for (const prefix of prefixes) app.route({ method, url: prefix + path, handler })
    }
    for (const [method, path, answer] of refusedRoutes) {
      for (const prefix of prefixes) {
        app.route({ method, url: prefix + path, handler: async (request) => answer(readCall(request, projectId)) })
      }
    }
  }
}

/** Answers with the error, as Cloud SQL words one. */
export function sendSqlError(request: FastifyRequest, reply: FastifyReply, error: unknown, log: Log): FastifyReply {
  const told = toClientError(error)
  if (!(told instanceof CloudError)) log.error({ err: error, url: request.url }, 'request failed')
  const { http, body } = toSqlError(told, request.headers)
  return reply.code(http).type('application/json; charset=UTF-8').send(JSON.stringify(body))
}

function readCall(request: FastifyRequest, projectId: (idOrNumber: string) => string): Call {
  const { project, instance = '', id = '' } = request.params as Readonly<Record<string, string | undefined>>
  if (project !== undefined) checkProject(project)
  return {
    project: project === undefined ? '' : projectId(project),
    instance: readInstanceId(instance),
    id,
    user: requireCaller(request.caller).email,
    body: readBody(request),
    query(name) {
      const value = [(request.query as Readonly<Record<string, unknown>>)[name]].flat()[0]
      return typeof value === 'string' ? value : ''
    },
  }
}

/** A PATCH is a merge patch: null there takes a field away. */
function readBody({ body, method }: FastifyRequest): unknown {
  const value = body instanceof Uint8Array ? readJson(body) : undefined
  return method === 'PATCH' ? value : withoutNulls(value)
}

function checkQuery(names: readonly string[], parameters: readonly string[]): void {
  const unknown = names.find((name) => !parameters.includes(name) && !isSystemParameter(name))
  if (unknown !== undefined) throw unknownParameter(unknown)
}

/** fastify's own refusals (a body too large) carry a status below 500. */
function toClientError(error: unknown): unknown {
  if (error instanceof CloudError) return error
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined
  if (typeof status !== 'number' || status >= 500) return error
  return new CloudError('INVALID_ARGUMENT', messageOf(error), 'Correct the request.', { cause: error })
}
