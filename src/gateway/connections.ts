import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { decideRequest, type Door } from './decide-request.ts'
import { readFirst, readForwarded, readHostHeader, readProtocol } from './first-bytes.ts'
import type { GatewayOptions, Source } from './gateway-options.ts'
import { kindOfHost, readHost, type HostKind } from './hosts.ts'
import { openHttpEnds, type HttpEnds, type OnRequest } from './http-ends.ts'
import { isPage } from './is-page.ts'
import { refuseTunnel, sendRefusal } from './refusal.ts'
import { openTlsEnd } from './tls-end.ts'
import { openTunnel } from './tunnel.ts'

/** Hands each accepted connection to the HTTP parser, the tunnel or the router. */
export interface Connections extends Disposable {
  /** Takes a connection of a process of this machine: CONNECT, or a request to the endpoints. */
  acceptLocal(socket: Socket): void
  /** Takes a connection of a forwarder in a project's network. Without `project`, the connection's first line names the project. */
  acceptForwarded(socket: Socket, project: string | undefined): void
}

const limits = { maxBytes: 16_384, timeoutMs: 60_000 }

export async function openConnections(options: GatewayOptions): Promise<Connections> {
  const tls = await openTlsEnd(options.authority)
  const sources = new WeakMap<object, Source>()
  const sourceOf = (socket: object): Source => sources.get(socket) ?? { project: undefined, ip: '127.0.0.1' }
  const kindOf = (authority: string | undefined): HostKind => kindOfHost(readHost(authority)?.host ?? '', options.hosts)
  const answer =
    (door: Door): OnRequest =>
    (request, response, socket) => {
      response.setHeader('x-content-type-options', 'nosniff')
      const source = sourceOf(socket)
      const decision = decideRequest({ hosts: hostsOf(request) }, door, options.hosts)
      if (decision.kind === 'refuse') return sendRefusal(request, response, decision)
      if (decision.kind === 'metadata') return options.metadataHandler(request, response, source)
      const { lendsAuthority } = decision
      if (lendsAuthority) response.setHeader('content-security-policy', noPages)
      options.handler(request, response, { lendsAuthority, isPage: isPage(request.headers), source })
    }
  const redirected = openHttpEnds(answer('redirected'))
  const endpoints = openHttpEnds(answer('endpoints'), (request, socket, head) => connect(request, socket, head))

  /** Serves bytes that were sent to one of Google's names, or to a service's own host. */
  const acceptRedirected = async (socket: Duplex): Promise<void> => {
    const protocol = await readFirst(socket, readProtocol, limits)
    if (protocol === undefined) return void socket.destroy()
    if (protocol === 'tls') return acceptTls(socket, redirected)
    if (protocol === 'h2') return redirected.accept(socket, 'h2')
    const host = await readFirst(resumed(socket), readHostHeader, limits)
    if (kindOf(host) === 'router') options.onRouter(socket, false, sourceOf(socket).ip)
    else redirected.accept(socket, 'http1')
  }
  const acceptTls = (raw: Duplex, local: HttpEnds): void =>
    tls.accept(raw, (socket, host) => {
      sources.set(socket, sourceOf(raw))
      const kind = kindOf(host)
      if (kind === 'router') options.onRouter(socket, true, sourceOf(raw).ip)
      else (kind === 'local' || kind === 'endpoint' ? local : redirected).accept(socket, socket.alpnProtocol === 'h2' ? 'h2' : 'http1')
    })
  const connect = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    socket.on('error', () => socket.destroy())
    const target = readHost(request.url)
    if (target?.port === undefined) return void socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
    const kind = kindOf(target.host)
    if (kind === 'foreign' || kind === 'local' || kind === 'endpoint') {
      const { host, port } = target
      return options.mayTunnel({ host, port }, request.headers) ? openTunnel(socket, head, { host, port }) : refuseTunnel(socket, host)
    }
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
    if (head.length > 0) socket.unshift(head)
    void acceptRedirected(resumed(socket))
  }
  return {
    acceptLocal(socket) {
      const { remoteAddress, remotePort, localAddress, localPort } = socket
      sources.set(socket, { project: undefined, ip: '127.0.0.1', ends: { remoteAddress, remotePort, localAddress, localPort } })
      void readFirst(socket, readProtocol, limits).then((protocol) => {
        if (protocol === undefined) socket.destroy()
        else if (protocol === 'tls') acceptTls(socket, endpoints)
        else endpoints.accept(socket, protocol)
      })
    },
    acceptForwarded: (socket, project) =>
      void readFirst(socket, readForwarded, limits).then((from) => {
        if (from === undefined || from.ip === '' || (from.port !== 443 && from.port !== 80)) return void socket.destroy()
        sources.set(socket, { project: project ?? from.project, ip: from.ip })
        return acceptRedirected(resumed(socket))
      }),
    [Symbol.dispose]() {
      redirected[Symbol.dispose]()
      endpoints[Symbol.dispose]()
    },
  }
}

function resumed(socket: Duplex): Duplex {
  process.nextTick(() => socket.resume())
  return socket
}

/** The policy for answers at names with authority: a page there runs no script and has an origin of its own. Source: w3.org/TR/CSP3, "sandbox". */
const noPages = "default-src 'none'; sandbox; frame-ancestors 'none'"

function hostsOf({ headers, rawHeaders }: IncomingMessage): readonly string[] {
  const authority = headers[':authority']
  if (typeof authority === 'string') return [authority]
  return rawHeaders.flatMap((name, index) => (index % 2 === 0 && name.toLowerCase() === 'host' ? [rawHeaders[index + 1] ?? ''] : []))
}
