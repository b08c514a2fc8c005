import { chmodSync, existsSync, unlinkSync } from 'node:fs'
import { PassThrough, type Readable } from 'node:stream'
import fastify, { type FastifyInstance, type FastifyReply } from 'fastify'
import { codes, CloudError, messageOf } from '../base/cloud-error.ts'
import { diskFault } from '../base/disk-fault.ts'
import { stateDirectory } from '../base/paths.ts'

/** Tells one event. What it answers is awaited by those that have many: the client reads more slowly than they come. */
export type Tell<E extends object = object> = (event: E) => Promise<void> | void

/** What the control socket can do: each answers a value, or tells events until it is done. */
export interface ControlActions {
  readonly get: Readonly<Record<string, (query: Readonly<Record<string, string>>) => Promise<unknown>>>
  readonly post: Readonly<Record<string, (input: Readonly<Record<string, unknown>>) => Promise<unknown>>>
  readonly stream: Readonly<
    Record<string, (input: Readonly<Record<string, unknown>>, tell: Tell, signal: AbortSignal) => Promise<object | void>>
  >
}

/**
 * Serves `actions` as HTTP on a Unix socket of mode 0600 at `path`. The caller holds the state lock, so a socket file found there is stale.
 * Streams are NDJSON: one event a line, the last one `done` or `error`.
 */
export async function openControl(path: string, actions: ControlActions): Promise<AsyncDisposable> {
  if (existsSync(path)) unlinkSync(path)
  const app = fastify({ logger: false, bodyLimit: 8 << 20, forceCloseConnections: true })
  app.setErrorHandler((error, _request, reply) =>
    reply.code(error instanceof CloudError ? codes[error.code].http : 500).send({ error: toWire(error) }),
  )
  app.addHook('onRequest', async (request, reply) => {
    // a Unix socket of mode 0600 needs no Host to be safe; one that is foreign tells of a proxy that somebody put before it
    if (!hosts.has(request.headers.host ?? '')) await reply.code(421).send({ error: toWire(foreignHost(request.headers.host)) })
  })
  app.setNotFoundHandler((request, reply) =>
    reply.code(404).send({ error: toWire(new CloudError('NOT_FOUND', `The daemon knows no ${request.url}.`, 'devcloud daemon stop')) }),
  )
  for (const [route, action] of Object.entries(actions.get)) {
    app.get(route, (request) => action(request.query as Record<string, string>))
  }
  for (const [route, action] of Object.entries(actions.post)) {
    app.post(route, (request) => action((request.body ?? {}) as Record<string, unknown>))
  }
  for (const [route, action] of Object.entries(actions.stream)) addStream(app, route, action)
  const umask = process.umask(0o177)
  try {
    await app.listen({ path })
  } finally {
    process.umask(umask)
  }
  chmodSync(path, 0o600)
  return { [Symbol.asyncDispose]: async () => void (await app.close()) }
}

/** What the CLI sends, and what HTTP clients send of themselves to a Unix socket. */
const hosts = new Set(['devcloud', 'localhost'])

function foreignHost(host: string | undefined): CloudError {
  return new CloudError('FAILED_PRECONDITION', `The control socket is no host ${host ?? 'without a name'}.`, 'Send Host: localhost.')
}

/** An error as the control socket and `--json` tell it. */
export function toWire(error: unknown): Record<string, unknown> {
  const disk = diskFault(error, stateDirectory())
  if (disk !== undefined) return toWire(disk)
  if (!(error instanceof CloudError))
    return { code: 'INTERNAL', fault: 'INTERNAL', message: messageOf(error), evidence: [], next: 'devcloud doctor' }
  const { code, fault, message, evidence, next } = error
  return { code, fault: fault ?? code, message, evidence, next }
}

function addStream(app: FastifyInstance, route: string, action: ControlActions['stream'][string]): void {
  app.route({
    method: route === '/logs' ? 'GET' : 'POST',
    url: route,
    handler: (request, reply) => {
      const input = { ...(request.query as object), ...(request.body as object | null) }
      const over = new AbortController()
      reply.raw.once('close', () => over.abort(new Error('The client went away.')))
      return sendEvents(reply, (tell) => action(input, tell, over.signal))
    },
  })
}

function sendEvents(reply: FastifyReply, work: (tell: Tell) => Promise<object | void>): FastifyReply {
  const stream = new PassThrough({ highWaterMark: 256 << 10 })
  let drained: Promise<void> | undefined
  const tell: Tell = (event) => {
    if (stream.write(`${JSON.stringify(event)}\n`) || stream.destroyed) return
    return (drained ??= new Promise<void>((resolve) => {
      const over = () => {
        drained = undefined
        stream.off('drain', over).off('close', over)
        resolve()
      }
      stream.on('drain', over).on('close', over)
    }))
  }
  work(tell)
    .then(
      (done) => tell({ kind: 'done', ...done }),
      (error: unknown) => tell({ kind: 'error', error: toWire(error) }),
    )
    .finally(() => stream.end())
  return reply.type('application/x-ndjson').send(stream satisfies Readable)
}
