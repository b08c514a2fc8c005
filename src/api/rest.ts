import { createRegistry, toJson, type DescFile, type JsonValue, type Message, type Registry } from '@bufbuild/protobuf'
import { createContextValues, createHandlerContext, type HandlerContext } from '@connectrpc/connect'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { CloudError } from '../base/cloud-error.ts'
import type { Log } from '../base/log.ts'
import { questionsOf, type Borders } from './borders.ts'
import { callerKey, requireCaller } from './caller.ts'
import { DebugInfoSchema, ErrorInfoSchema } from './gen/google/rpc/error_details_pb.ts'
import { nameOf } from './grpc.ts'
import { readJson } from './json-body.ts'
import { checkMasks } from './masks.ts'
import { checkNames } from './names.ts'
import type { Product } from './product.ts'
import { readRestRequest } from './rest-request.ts'
import { authorityOf, hostOf, pathOf, type Found, type Routes } from './routes.ts'
import { sendError } from './send-error.ts'
import { unimplemented } from './status.ts'

type UnaryMethod = (request: Message, context: HandlerContext) => Promise<Message> | Message

/** Serves every method with a google.api.http rule, as proto JSON over HTTP. An unknown route is refused by its method and path (sql trap 40). */
export async function serveRest(app: FastifyInstance, { products, routes, borders, log }: RestOptions): Promise<void> {
  const registry = registryOf(products)
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  const refuseGrpc = async (request: FastifyRequest, reply: FastifyReply) => {
    if (request.headers['content-type']?.startsWith('application/grpc') === true)
      await sendError(request, reply, unknownRoute(request), log)
  }
  app.all('/*', { onRequest: refuseGrpc }, async (request, reply) => {
    const found = routes.find(request.method, hostOf(request.headers), request.raw.url ?? '/')
    if (found.kind !== 'rest') return sendError(request, reply, unknownRoute(request), log)
    try {
      const answer = await call(found, request, reply, registry, borders)
      return await reply.type('application/json; charset=UTF-8').send(JSON.stringify(answer))
    } catch (error) {
      return sendError(request, reply, error, log)
    }
  })
}

interface RestOptions {
  readonly products: readonly Product[]
  readonly routes: Routes
  readonly borders: Borders
  readonly log: Log
}

async function call(
  found: Extract<Found, { kind: 'rest' }>,
  request: FastifyRequest,
  reply: FastifyReply,
  registry: Registry,
  borders: Borders,
): Promise<JsonValue> {
  const { method, service, body } = found.method
  const caller = requireCaller(request.caller)
  const implementation = service.implementation[method.localName] as unknown as UnaryMethod | undefined
  if (implementation === undefined) throw unimplemented(nameOf(method))
  const query = new URLSearchParams((request.raw.url ?? '').split('?').slice(1).join('?'))
  const message = readRestRequest(method.input, { body, variables: found.variables }, query, readPayload(request.body), registry)
  for (const { resource, action } of questionsOf(method.input, message, method.localName)) borders.check(caller, resource, action)
  checkNames(method.input, message)
  checkMasks(method.input, message)
  const gone = new AbortController()
  reply.raw.once('close', () => gone.abort())
  const context = createHandlerContext({
    service: service.descriptor,
    method,
    protocolName: 'rest',
    requestMethod: request.method,
    url: `http://${authorityOf(request.headers)}${request.url}`,
    requestSignal: gone.signal,
    contextValues: createContextValues().set(callerKey, request.caller),
  })
  try {
    return toJson(method.output, (await implementation(message, context)) as never, { registry, alwaysEmitImplicit: false })
  } finally {
    context.abort()
  }
}

export function unknownRoute(request: FastifyRequest): CloudError {
  return unimplemented(`${request.method} ${hostOf(request.headers)}${pathOf(request.raw.url ?? '/')}`)
}

function readPayload(body: unknown): JsonValue | undefined {
  return body instanceof Uint8Array ? readJson(body) : undefined
}

/** All message types of the services, to read an Any. */
function registryOf(products: readonly Product[]): Registry {
  const files = new Set<DescFile>()
  const add = (file: DescFile) => {
    if (files.has(file)) return
    files.add(file)
    file.dependencies.forEach(add)
  }
  for (const { descriptor } of products.flatMap((product) => product.services)) add(descriptor.file)
  return createRegistry(ErrorInfoSchema, DebugInfoSchema, ...files)
}
