import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { IncomingMessage } from 'node:http'
import type { Log } from '../base/log.ts'
import { CloudError } from '../base/cloud-error.ts'
import { questionsOfPath, type Borders } from './borders.ts'
import { admissionOf, readCaller, requireCaller, type Caller, type TokenReader } from './caller.ts'
import { decodedStream, readContent } from './content-coding.ts'
import { serveGrpc } from './grpc.ts'
import { headFault } from './head-fault.ts'
import { isAdding } from './is-adding.ts'
import { messageLimitBytes } from './json-body.ts'
import type { Product } from './product.ts'
import { methodOf } from './method-of.ts'
import { serveRest, unknownRoute } from './rest.ts'
import { hostOf, openRoutes, pathOf, type Routes } from './routes.ts'
import { sendError } from './send-error.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who calls; undefined for one whom neither a token nor the door gives a name. */
    caller: Caller | undefined
    /** The body for a handler that streams, without its `Content-Encoding`. `raw` has the body as it came. Read the body once. */
    readonly content: AsyncIterable<Buffer>
  }
}

/**
 * Serves every product over gRPC, REST and its wires. The server listens nowhere: the gateway passes requests of HTTP/1.1 and HTTP/2 to `app.routing`. A
 * product's wires answer at the product's own hosts, and at the endpoints port by their paths.
 */
export async function createApiServer(options: {
  readonly products: readonly Product[]
  readonly tokens: TokenReader
  readonly borders: Borders
  readonly log: Log
  /** Runs a call that may make the state larger: on a full disk its first write is refused. */
  readonly adding?: (call: () => void) => void
}): Promise<FastifyInstance> {
  const { products, tokens, borders, log, adding = (call) => call() } = options
  const routes = openRoutes(products)
  /** Refuses a request that no route may get, in the form of errors of the product that the request is for. */
  const refuse = (request: FastifyRequest, reply: FastifyReply, error: unknown) => {
    const found = routes.find(request.method, hostOf(request.headers), request.raw.url ?? '/')
    const product = found.kind === 'wires' ? products.find(({ name }) => name === found.product) : undefined
    return product?.refuse === undefined ? sendError(request, reply, error, log) : product.refuse(request, reply, error)
  }
  const app = fastify({
    logger: false,
    bodyLimit: messageLimitBytes,
    exposeHeadRoutes: false,
    rewriteUrl(request) {
      request.method = methodOf(request) // before any route is looked for
      return request.url ?? '/'
    },
    frameworkErrors(error, request, reply) {
      void refuse(
        request as FastifyRequest,
        reply as FastifyReply,
        headFault(request.raw) ?? new CloudError('INVALID_ARGUMENT', error.message, 'Correct the URL.'),
      )
    },
    routerOptions: { maxParamLength: 8192, constraints: { product: productConstraint(routes) } },
  })
  app.decorateRequest('caller', undefined)
  app.decorateRequest('content', {
    getter() {
      return readContent(this.raw)
    },
  })
  app.addHook('onRequest', (request, reply, done) => {
    const fault = headFault(request.raw)
    if (fault !== undefined) return void refuse(request, reply, fault)
    if (!isMediaType(request.headers['content-type'])) request.headers = { 'content-type': 'application/octet-stream' } // fastify reads no body else
    request.caller = readCaller(request.headers, admissionOf(request.raw), tokens)
    done()
  })
  app.addHook('preParsing', (request, _reply, payload, done) => done(null, decodedStream(request.raw, messageLimitBytes) ?? payload))
  // What is said here holds for the handler: it runs once the body has been read, or is about to be.
  app.addHook('preValidation', (request, _reply, done) => (isAdding(request.method, request.url) ? adding(done) : done()))
  app.setErrorHandler((error, request, reply) => sendError(request, reply, error, log))
  app.setNotFoundHandler((request, reply) => sendError(request, reply, unknownRoute(request), log))
  for (const product of products) await mountWires(app, product, routes, borders)
  await app.register(serveGrpc, { products, borders, log })
  await app.register(serveRest, { products, routes, borders, log })
  await app.ready()
  return app
}

/** Whether a Content-Type is well-formed. Clients leave it out over HTTP/2, or write another text; their bodies are read too. */
function isMediaType(type: string | undefined): boolean {
  return /^\s*[^\s/;]+\/[^\s/;]+/.test(type ?? '')
}

async function mountWires(app: FastifyInstance, { name, wires, answersAnyone }: Product, routes: Routes, borders: Borders): Promise<void> {
  if (wires === undefined) return
  await app.register(async (scope) => {
    scope.addHook('onRoute', (route) => {
      routes.addWire(name, [route.method].flat(), route.url)
      route.constraints = { ...route.constraints, product: name }
    })
    if (answersAnyone !== true) scope.addHook('onRequest', async (request) => void requireCaller(request.caller))
    scope.addHook('preHandler', async ({ caller, method, url, body }) => {
      if (caller === undefined) return
      for (const { resource, action } of questionsOfPath(method, pathOf(url), body)) borders.check(caller, resource, action)
    })
    await scope.register(wires)
  })
}

/** The constraint for fastify's router: the product whose wires a request is for. Undefined leads to gRPC and REST. */
function productConstraint(routes: Routes) {
  return {
    name: 'product',
    mustMatchWhenDerived: true,
    storage: () => {
      const handlers = new Map()
      return { get: (key: unknown) => handlers.get(key) ?? null, set: (key: unknown, handler: unknown) => void handlers.set(key, handler) }
    },
    deriveConstraint(request: IncomingMessage): string {
      const isGrpc = request.headers['content-type']?.startsWith('application/grpc') === true
      const found = isGrpc ? undefined : routes.find(request.method ?? '', hostOf(request.headers), request.url ?? '/')
      return (found?.kind === 'wires' ? found.product : undefined) as string // find-my-way reads undefined as: not constrained
    },
  }
}
