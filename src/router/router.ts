import net, { type AddressInfo, type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { CloudError } from '../base/cloud-error.ts'
import type { Clock } from '../base/clock.ts'
import { limitConnections } from '../base/limit-connections.ts'
import type { LoggedRequest } from '../telemetry/logged-request.ts'
import { ClientConnection } from './client-connection.ts'
import type { RouterCore } from './router-core.ts'
import { onFirstProtocol } from './first-protocol.ts'
import { openH2Front } from './h2/h2-front.ts'
import { H2Sessions } from './h2/h2-sessions.ts'
import { frontPeer, type Peer } from './peer.ts'
import type { PublicOrigin } from './public-origins.ts'
import { Routes } from './routes.ts'
import { withSharedReads } from './shared-reads.ts'
import { SwapList, type Listed } from './swap-list.ts'
import { ConnectionPool } from './upstream-connection.ts'
import type { Router } from './upstream.ts'

export interface RouterOptions {
  /** A number (0 for any), or `preferred`: 80 where it may, else 8080 and upward. */
  readonly port: number | 'preferred'
  readonly clock: Clock
  /** Ends TLS, with a certificate for the name that the client asks for; without it the port speaks http only. */
  readonly tlsEnd?: { accept(raw: Socket, onSecure: (socket: TLSSocket) => void): void }
  readonly onRequest: (record: LoggedRequest) => void
  /** Replaced in the pages that browsers read; asked for each connection. */
  readonly publicOrigins?: () => readonly PublicOrigin[]
  /** The port takes no more connections than so many for now. */
  readonly onFull?: (most: number) => void
}

interface OpenSocket extends Listed {
  socket: Socket
}

/** Opens the front door on 127.0.0.1, and on ::1 where there is one. @throws CloudError PORT_TAKEN for a number that is held */
export async function openRouter(options: RouterOptions): Promise<Router> {
  const { clock, tlsEnd } = options
  const open = new SwapList<ClientConnection>()
  const sockets = new SwapList<OpenSocket>()
  const core: RouterCore = {
    routes: new Routes(),
    connections: new ConnectionPool(256),
    sessions: new H2Sessions(),
    nowMs: () => clock.nowMs(),
    ticksMs: () => clock.ticksMs(),
    lot: Math.random,
    onRequest: options.onRequest,
    leftBehind: new Map(),
    get publicOrigins() {
      return options.publicOrigins?.() ?? []
    },
  }
  const h2 = openH2Front(core)
  const acceptHttp1 = (socket: Socket, peer: Peer): ClientConnection => {
    const connection = new ClientConnection(core, socket, peer)
    open.add(connection)
    socket.once('close', () => open.delete(connection))
    return connection
  }
  const accept = (socket: Socket, peer: Peer) => {
    if (isH2(socket)) h2.accept(socket, peer)
    else acceptHttp1(socket, peer)
  }
  const acceptPlain = (opened: OpenSocket, first: Buffer) => {
    const peer = frontPeer(opened.socket, 'http')
    opened.socket = withSharedReads(opened.socket, (data) => connection.onData(data))
    watch(opened)
    opened.socket.resume()
    const connection = acceptHttp1(opened.socket, peer)
    connection.onData(first)
  }
  const watch = (opened: OpenSocket) => {
    const { socket } = opened
    socket.on('error', () => socket.destroy()).once('close', () => sockets.delete(opened))
  }
  const onConnection = (socket: Socket) => {
    socket.setNoDelay(true)
    const opened: OpenSocket = { socket, place: -1 }
    sockets.add(opened)
    watch(opened)
    onFirstProtocol(socket, (protocol, first) => {
      if (protocol === 'http1' || (protocol === 'tls' && tlsEnd === undefined)) return acceptPlain(opened, first)
      socket.unshift(first)
      if (protocol === 'tls') tlsEnd?.accept(socket, (secure) => accept(secure, frontPeer(socket, 'https')))
      else h2.accept(socket, frontPeer(socket, 'http'))
    })
  }
  const [first, ...others] = await listen(options.port, onConnection)
  const servers = [first, ...others]
  for (const server of servers) limitConnections(server, options.onFull ?? (() => {}))
  const timer = setInterval(() => {
    const now = clock.ticksMs()
    for (const connection of open) if (connection.deadlineTicks < now) connection.onDeadline()
    for (const [left, untilTicks] of core.leftBehind) if (untilTicks < now) left.abandon()
    h2.sweep(now)
  }, 200)
  return {
    port: portOf(first),
    setRoute: (route) => core.routes.set(route),
    removeRoute: (project, service) => core.routes.remove(project, service),
    accept: (socket, scheme, ip) => accept(socket, { scheme, origin: 'instance', ip }),
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      for (const connection of open) connection.client.destroy()
      for (const left of core.leftBehind.keys()) left.abandon()
      h2[Symbol.dispose]()
      core.connections.close()
      core.sessions.close()
      for (const { socket } of sockets) socket.destroy() // those too that have said nothing yet
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
    },
  }
}

/** Chosen by ALPN. */
function isH2(socket: Socket): boolean {
  return 'alpnProtocol' in socket && socket.alpnProtocol === 'h2'
}

/** The same port on 127.0.0.1 and ::1. A preferred port moves on when it is held; a number does not. */
async function listen(port: number | 'preferred', onConnection: (socket: Socket) => void): Promise<[net.Server, ...net.Server[]]> {
  const candidates = port === 'preferred' ? [80, ...Array.from({ length: 20 }, (_, n) => 8080 + n), 0] : [port]
  for (const candidate of candidates) {
    const first = await listenOn('127.0.0.1', candidate, onConnection)
    if (first === undefined) continue
    const second = await listenOn('::1', portOf(first), onConnection)
    return second === undefined ? [first] : [first, second]
  }
  throw new CloudError(
    'FAILED_PRECONDITION',
    `Port ${port} of 127.0.0.1 is taken.`,
    'Stop what holds it, or set DEVCLOUD_PORT to another one.',
    { fault: 'PORT_TAKEN' },
  )
}

function listenOn(host: string, port: number, onConnection: (socket: Socket) => void): Promise<net.Server | undefined> {
  return new Promise((resolve) => {
    const server = net.createServer({ noDelay: true, allowHalfOpen: true }, onConnection)
    server.once('error', () => resolve(undefined))
    server.listen({ host, port, backlog: 4096 }, () => {
      server.removeAllListeners('error').on('error', () => {})
      resolve(server)
    })
  })
}

function portOf(server: net.Server): number {
  return (server.address() as AddressInfo).port
}
