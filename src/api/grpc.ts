import type { DescMethod, DescService, Message } from '@bufbuild/protobuf'
import { createContextKey, createContextValues, type HandlerContext, type ServiceImpl } from '@connectrpc/connect'
import { fastifyConnectPlugin } from '@connectrpc/connect-fastify'
import type { FastifyInstance } from 'fastify'
import { CloudError } from '../base/cloud-error.ts'
import type { Log } from '../base/log.ts'
import { questionsOf, type Borders } from './borders.ts'
import { callerKey, requireCaller } from './caller.ts'
import { plainGrpcMessage } from './grpc-message.ts'
import { checkMasks } from './masks.ts'
import { checkNames } from './names.ts'
import type { Product, Service } from './product.ts'
import { hostOf, matchesHost } from './routes.ts'
import { toConnectError, unimplemented } from './status.ts'

type UnaryMethod = (request: Message, context: HandlerContext) => Promise<Message> | Message
type StreamMethod = (request: Message, context: HandlerContext) => AsyncIterable<Message>

/** The largest message in bytes: four times a secret's payload. A binary message is denser than JSON and would hold the event loop sooner (S25). */
const messageLimitBytes = 256 << 10

const hostKey = createContextKey('', { description: 'host' })

/** Serves every proto service over gRPC. For a service of several products, such as google.longrunning.Operations, the host decides which product answers. */
export async function serveGrpc(app: FastifyInstance, { products, borders, log }: GrpcOptions): Promise<void> {
  const all = products.flatMap((product) => product.services.map((service) => ({ product, service })))
  const byType = Map.groupBy(all, ({ service }) => service.descriptor.typeName)
  app.addHook('onRequest', (_request, reply, done) => {
    plainGrpcMessage(reply.raw)
    done()
  })
  await app.register(fastifyConnectPlugin, {
    grpcWeb: false,
    connect: false,
    readMaxBytes: messageLimitBytes,
    contextValues: (request) => createContextValues().set(callerKey, request.caller).set(hostKey, hostOf(request.headers)),
    routes(router) {
      for (const offers of byType.values()) {
        const [first] = offers
        if (first !== undefined) router.service(first.service.descriptor, implementationOf(first.service.descriptor, offers, borders, log))
      }
    },
  })
}

interface GrpcOptions {
  readonly products: readonly Product[]
  readonly borders: Borders
  readonly log: Log
}

interface Offer {
  readonly product: Product
  readonly service: Service
}

/** The handlers of every method of a service. A method without an implementation is refused by name. */
function implementationOf(
  descriptor: DescService,
  offers: readonly Offer[],
  borders: Borders,
  log: Log,
): Partial<ServiceImpl<DescService>> {
  const entries = descriptor.methods.map((method) => [
    method.localName,
    method.methodKind === 'server_streaming' || method.methodKind === 'bidi_streaming'
      ? streaming(method, offers, borders, log)
      : unary(method, offers, borders, log),
  ])
  return Object.fromEntries(entries) as Partial<ServiceImpl<DescService>>
}

function unary(method: DescMethod, offers: readonly Offer[], borders: Borders, log: Log): UnaryMethod {
  return async (request, context) => {
    try {
      checkBorders(method, request, context, borders)
      checkNames(method.input, request)
      checkMasks(method.input, request)
      const [first, ...others] = implementationsOf<UnaryMethod>(method, offers, context)
      if (first === undefined) throw unimplemented(nameOf(method))
      try {
        return await first(request, context)
      } catch (error) {
        const [next] = others
        if (next === undefined || !(error instanceof CloudError) || error.code !== 'NOT_FOUND') throw error
        return await next(request, context)
      }
    } catch (error) {
      throw told(error, method, log)
    }
  }
}

function streaming(method: DescMethod, offers: readonly Offer[], borders: Borders, log: Log): StreamMethod {
  return async function* (request, context) {
    try {
      checkBorders(method, request, context, borders)
      checkNames(method.input, request)
      checkMasks(method.input, request)
      const [first] = implementationsOf<StreamMethod>(method, offers, context)
      if (first === undefined) throw unimplemented(nameOf(method))
      yield* first(request, context)
    } catch (error) {
      throw told(error, method, log)
    }
  }
}

/** @throws CloudError UNAUTHENTICATED without a caller, PERMISSION_DENIED for a caller of another project */
function checkBorders(method: DescMethod, request: Message, context: HandlerContext, borders: Borders): void {
  const caller = requireCaller(context.values.get(callerKey))
  for (const { resource, action } of questionsOf(method.input, request, method.localName)) borders.check(caller, resource, action)
}

function implementationsOf<T>(method: DescMethod, offers: readonly Offer[], context: HandlerContext): readonly T[] {
  const host = context.values.get(hostKey)
  const own = offers.filter(({ product }) => product.hosts.some((pattern) => matchesHost(pattern, host)))
  return (own.length > 0 ? own : offers).flatMap(({ service }) => {
    const implementation = service.implementation[method.localName] as unknown as T | undefined
    return implementation === undefined ? [] : [implementation]
  })
}

export function nameOf(method: DescMethod): string {
  return `${method.parent.typeName}.${method.name}`
}

function told(error: unknown, method: DescMethod, log: Log): unknown {
  if (!(error instanceof CloudError)) log.error({ err: error, method: nameOf(method) }, 'handler failed')
  return toConnectError(error)
}
