import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Ends } from '../base/peer-owner.ts'
import type { CertificateAuthority } from './certificate-authority.ts'

export interface GatewayOptions {
  /** Answers the requests of HTTP/1.1 and HTTP/2 for the products. */
  readonly handler: (request: IncomingMessage, response: ServerResponse, visit: Visit) => void
  readonly authority: CertificateAuthority
  /** Whether a product answers for this host, which is lower case and has no port. */
  readonly hosts: (host: string) => boolean
  /** At most 100 bytes long; its folder is made 0700. */
  readonly socketPath: string
  /** 0 is a free one. */
  readonly port: number
  readonly metadataHandler: (request: IncomingMessage, response: ServerResponse, source: Source) => void
  /** The port takes no more connections than so many for now. */
  readonly onFull?: (most: number) => void
  /** Takes a connection to a service's own URL from `ip`, TLS already ended. The socket may be paused. */
  readonly onRouter: (socket: Duplex, tls: boolean, ip: string) => void
  /** Hosts and ports of this machine to which CONNECT leads besides Google's names: the router's, and those that the user allowed. */
  readonly mayTunnel: (target: { readonly host: string; readonly port: number }, headers: IncomingHttpHeaders) => boolean
}

/** What a request's way in tells of who sends it. */
export interface Visit {
  /** It came to a name of this machine at which the local user needs no token. */
  readonly lendsAuthority: boolean
  /** A browser sends it for a page. */
  readonly isPage: boolean
  readonly source: Source
}

/** Where a connection came from: a container of `project` at `ip`, or, without a project, a process of this machine. */
export interface Source {
  readonly project: string | undefined
  readonly ip: string
  /** Both ends of a process's own connection to the gateway's port. */
  readonly ends?: Ends
}
