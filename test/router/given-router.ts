import net, { type AddressInfo } from 'node:net'
import { systemClock } from '../../src/base/clock.ts'
import type { LoggedRequest } from '../../src/telemetry/logged-request.ts'
import { openRouter, type RouterOptions } from '../../src/router/router.ts'
import type { Route, Router, Upstream } from '../../src/router/upstream.ts'

export interface GivenRouter extends AsyncDisposable {
  readonly router: Router
  readonly records: LoggedRequest[]
  /** Bytes in, everything that comes until the server closes (or `untilText` came). */
  raw(request: string | Buffer, untilText?: string): Promise<string>
}

/** What a test says of the revision beside the service; where it names its own targets, of each of them. */
type RevisionSettings = Pick<Upstream, 'timeoutMs' | 'sessionAffinity'>

/** A router on a free port with one service, `app.localhost`, in front of a backend on `backendPort`. */
export async function givenRouter(
  upstream: Upstream,
  options: Partial<RouterOptions> & { readonly route?: Partial<Route> & RevisionSettings } = {},
): Promise<GivenRouter> {
  const records: LoggedRequest[] = []
  const router = await openRouter({
    port: 0,
    clock: systemClock,
    onRequest: (record) => records.push(record),
    ...options,
  })
  const { timeoutMs, sessionAffinity, targets = [{ percent: 100, upstream }], ...route } = options.route ?? {}
  const settings = { ...(timeoutMs !== undefined && { timeoutMs }), ...(sessionAffinity !== undefined && { sessionAffinity }) }
  router.setRoute({
    service: 'app',
    project: 'p',
    hosts: ['app.localhost'],
    ...route,
    targets: targets.map((target) => ({ ...target, upstream: { timeoutMs: 5000, ...target.upstream, ...settings } })),
  })
  return {
    router,
    records,
    raw: (request, untilText) => talk(router.port, request, untilText),
    [Symbol.asyncDispose]: () => router[Symbol.asyncDispose](),
  }
}

/** An upstream with one instance that always has room; `inFlight` counts its leases. */
export function oneInstance(port: number): Upstream & { inFlight: number } {
  const upstream = {
    id: 'app-00001-abc',
    inFlight: 0,
    async acquire() {
      upstream.inFlight += 1
      let released = false
      return {
        instance: 'i1',
        address: { host: '127.0.0.1', port },
        release: () => {
          if (!released) upstream.inFlight -= 1
          released = true
        },
      }
    },
  }
  return upstream
}

export interface Backend extends AsyncDisposable {
  readonly port: number
  /** Every byte that came, as latin1. */
  readonly seen: string[]
}

/** A raw server: `answer` is told what came on a connection so far, and writes what it likes. */
export async function givenBackend(answer: (text: string, socket: net.Socket) => void): Promise<Backend> {
  const seen: string[] = []
  const sockets = new Set<net.Socket>()
  const server = net.createServer((socket) => {
    sockets.add(socket)
    const index = seen.push('') - 1
    socket.on('error', () => {})
    socket.on('data', (data) => {
      seen[index] += data.toString('latin1')
      answer(seen[index] ?? '', socket)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    seen,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export function talk(port: number, request: string | Buffer, untilText?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = net.connect(port, '127.0.0.1', () => socket.write(request))
    socket.setTimeout(5000, () => socket.destroy(new Error(`no end after: ${text}`)))
    socket.on('data', (data) => {
      text += data.toString('latin1')
      if (untilText !== undefined && text.includes(untilText)) socket.destroy()
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(text))
  })
}
