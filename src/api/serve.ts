import { createRegistry, toJson, type DescFile, type JsonValue, type Message, type Registry } from '@bufbuild/protobuf'
import { createContextValues, createHandlerContext, type HandlerContext, type ServiceImpl } from '@connectrpc/connect'
import { fastifyConnectPlugin } from '@connectrpc/connect-fastify'
import type { DescService } from '@bufbuild/protobuf'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { DebugInfoSchema, ErrorInfoSchema } from './gen/google/rpc/error_details_pb.ts'
import { CloudError, codes } from '../base/cloud-error.ts'
import type { Log } from '../base/log.ts'
import { callerKey, readCaller, requireCaller, type Caller, type TokenReader } from './caller.ts'
import type { Product, Service } from './product.ts'
import { plainGrpcMessage } from './grpc-message.ts'
import { restMethods, type RestMethod } from './rest-methods.ts'
import { readRestRequest } from './rest-request.ts'
import { toConnectError, toRestError } from './status.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who calls; undefined without a valid token, on Google's own hosts. */
    caller: Caller | undefined
  }
}

/** Largest JSON body of an RPC. Objects' bytes take another way: products' wires stream them. */
const bodyLimitBytes = 16 << 20

/**
 * Serves every product over gRPC and REST. The server itself listens nowhere: the gateway feeds it requests of HTTP/1.1 and HTTP/2
 * through `app.routing`.
 */
export async function createApiServer(options: {
  readonly products: readonly Product[]
  readonly tokens: TokenReader
  readonly log: Log
}): Promise<FastifyInstance> {
  const { products, tokens, log } = options
  const app = fastify({ logger: false, bodyLimit: bodyLimitBytes, exposeHeadRoutes: false, routerOptions: { maxParamLength: 8192 } })
  app.decorateRequest('caller', undefined)
  app.addHook('onRequest', (request, _reply, done) => {
    request.caller = readCaller(request.headers.authorization, hostHeader(request), tokens)
    done()
  })
  app.setErrorHandler((error, _request, reply) => sendError(reply, error, log))
  app.setNotFoundHandler((request, reply) => sendError(reply, unknownRoute(request), log))
  for (const product of products) if (product.wires !== undefined) await app.register(product.wires)
  await app.register(grpc, { products, log })
  await app.register(rest, { products, log })
  await app.ready()
  return app
}

async function grpc(app: FastifyInstance, { products, log }: { readonly products: readonly Product[]; readonly log: Log }): Promise<void> {
  app.addHook('onRequest', (_request, reply, done) => {
    plainGrpcMessage(reply.raw)
    done()
  })
  await app.register(fastifyConnectPlugin, {
    grpcWeb: false,
    connect: false,
    contextValues: (request) => createContextValues().set(callerKey, request.caller),
    routes(router) {
      for (const { descriptor, implementation } of products.flatMap((product) => product.services)) {
        router.service(descriptor, guarded(implementation, log))
      }
    },
  })
}

/** Each handler with CloudError turned into gRPC's status; anything else is logged and told as INTERNAL. */
function guarded(implementation: Service['implementation'], log: Log): Partial<ServiceImpl<DescService>> {
  const entries = Object.entries(implementation).map(([name, method]) => [
    name,
    async (request: Message, context: HandlerContext) => {
      try {
        requireCaller(context.values.get(callerKey))
        return await (method as unknown as UnaryMethod)(request, context)
      } catch (error) {
        if (!(error instanceof CloudError)) log.error({ err: error, method: name }, 'handler failed')
        throw toConnectError(error)
      }
    },
  ])
  return Object.fromEntries(entries) as Partial<ServiceImpl<DescService>>
}

type UnaryMethod = (request: Message, context: HandlerContext) => Promise<Message> | Message

async function rest(app: FastifyInstance, { products, log }: { readonly products: readonly Product[]; readonly log: Log }): Promise<void> {
  const registry = registryOf(products)
  const routes = products.map((product) => ({ product, methods: product.services.flatMap(restMethods) }))
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  app.all('/*', async (request, reply) => {
    const url = new URL(request.raw.url ?? '/', 'http://host')
    const host = hostHeader(request).replace(/:\d+$/, '')
    const verb = overriddenMethod(request)
    const found = findMethod(routes, host, verb, url.pathname)
    if (found === undefined) return sendError(reply, unknownRoute(request), log)
    try {
      const answer = await call(found.method, found.variables, request, url.searchParams, registry)
      return await reply.type('application/json; charset=UTF-8').send(JSON.stringify(answer))
    } catch (error) {
      return sendError(reply, error, log)
    }
  })
}

async function call(
  found: RestMethod,
  variables: Readonly<Record<string, string>>,
  request: FastifyRequest,
  query: URLSearchParams,
  registry: Registry,
): Promise<JsonValue> {
  const { method, service } = found
  requireCaller(request.caller)
  const implementation = service.implementation[method.localName] as unknown as UnaryMethod | undefined
  if (implementation === undefined) throw unimplemented(`${service.descriptor.typeName}.${method.name}`)
  const message = readRestRequest(method.input, { body: found.body, variables }, query, readPayload(request.body), registry)
  const context = createHandlerContext({
    service: service.descriptor,
    method,
    protocolName: 'rest',
    requestMethod: request.method,
    url: `http://${hostHeader(request)}${request.url}`,
    contextValues: createContextValues().set(callerKey, request.caller),
  })
  try {
    const answer = await implementation(message, context)
    return toJson(method.output, answer as never, { registry, alwaysEmitImplicit: false })
  } finally {
    context.abort()
  }
}

function findMethod(
  routes: readonly { readonly product: Product; readonly methods: readonly RestMethod[] }[],
  host: string,
  verb: string,
  path: string,
) {
  const own = routes.filter(({ product }) => product.hosts.some((pattern) => matchesHost(pattern, host)))
  for (const { methods } of own.length > 0 ? own : routes) {
    for (const method of methods) {
      if (method.verb !== verb) continue
      const variables = method.template.match(path)
      if (variables !== undefined) return { method, variables }
    }
  }
  return undefined
}

/** `*.run.googleapis.com` stands for one label or more in front. */
export function matchesHost(pattern: string, host: string): boolean {
  return pattern.startsWith('*.') ? host.endsWith(pattern.slice(1)) : host === pattern
}

function overriddenMethod(request: FastifyRequest): string {
  const told = request.headers['x-http-method-override']
  return request.method === 'POST' && typeof told === 'string' ? told.toUpperCase() : request.method
}

function readPayload(body: unknown): JsonValue | undefined {
  if (!(body instanceof Uint8Array) || body.length === 0) return undefined
  try {
    return JSON.parse(Buffer.from(body).toString('utf8')) as JsonValue
  } catch (error) {
    throw new CloudError('INVALID_ARGUMENT', `Invalid JSON payload received. ${String(error)}`, 'Send JSON.', { cause: error })
  }
}

function unknownRoute(request: FastifyRequest): CloudError {
  return unimplemented(`${request.method} ${hostHeader(request)}${request.raw.url?.split('?')[0] ?? ''}`)
}

function unimplemented(what: string): CloudError {
  return new CloudError('UNIMPLEMENTED', `devcloud does not emulate ${what}.`, 'See the table of products in the README.')
}

function sendError(reply: FastifyReply, error: unknown, log: Log): FastifyReply {
  const told = toClientError(error)
  if (!(told instanceof CloudError)) log.error({ err: error }, 'request failed')
  const { http, body } = toRestError(told)
  return reply.code(http).type('application/json; charset=UTF-8').send(JSON.stringify(body))
}

/** fastify's own refusals (body too large, bad content length) carry a status below 500. */
function toClientError(error: unknown): unknown {
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined
  if (typeof status !== 'number' || status >= 500 || !(error instanceof Error)) return error
  const code = (Object.keys(codes) as (keyof typeof codes)[]).find((name) => codes[name].http === status) ?? 'INVALID_ARGUMENT'
  return new CloudError(code, error.message, 'Correct the request.')
}

function hostHeader(request: FastifyRequest): string {
  const authority = request.headers[':authority']
  return request.headers.host ?? (typeof authority === 'string' ? authority : '')
}

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
