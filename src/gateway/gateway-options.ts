import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Ends } from '../base/peer-owner.ts'
import type { CertificateAuthority } from './certificate-authority.ts'

export interface GatewayOptions {
  /** Answers the requests to products, over HTTP/1.1 and HTTP/2. */
  readonly handler: (request: IncomingMessage, response: ServerResponse, visit: Visit) => void
  readonly authority: CertificateAuthority
  /** Whether a product answers for a host. The host is lower case, without port. */
  readonly hosts: (host: string) => boolean
  /** The path of the Unix socket, at most 100 bytes long. The folder of the socket is made with mode 0700. */
  readonly socketPath: string
  /** 0 takes a free port. */
  readonly port: number
  readonly metadataHandler: (request: IncomingMessage, response: ServerResponse, source: Source) => void
  /** Called when the port has reached its limit of connections. */
  readonly onFull?: (most: number) => void
  /** Takes a connection from `ip` to a service's own URL, after TLS. The socket may be paused. */
  readonly onRouter: (socket: Duplex, tls: boolean, ip: string) => void
  /** Whether CONNECT may lead to a host and port besides Google's names: to the router's, and to those that the user allowed. */
  readonly mayTunnel: (target: { readonly host: string; readonly port: number }, headers: IncomingHttpHeaders) => boolean
}

/** What the door of a request says about the sender. */
export interface Visit {
  /** Whether the request came to a name of this machine at which the local user needs no token. */
  readonly lendsAuthority: boolean
  /** Whether a browser sends the request for a page. */
  readonly isPage: boolean
  readonly source: Source
}

/** Where a connection comes from: a container of `project` at `ip`. Without `project`: a process of this machine. */
export interface Source {
  readonly project: string | undefined
  readonly ip: string
  /** Both ends of a process's own connection to the gateway's port. */
  readonly ends?: Ends
}
