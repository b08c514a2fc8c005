import type { Socket } from 'node:net'
import type { ClientRequest } from './client-request.ts'
import type { Trace } from './forward-head.ts'
import type { Field } from './http-head.ts'
import type { LeftBehind } from './left-behind.ts'
import type { OwnAnswer } from './own-answer.ts'
import type { PublicOrigin } from './public-origins.ts'
import type { RouterCore } from './router-core.ts'
import type { Lease } from './upstream.ts'

/** What a connection of HTTP/1.1 needs of the exchange that it has under way, whatever the instance speaks. */
export interface ClientExchange extends LeftBehind {
  /** Of the response; 0 before there is one. */
  readonly status: number
  readonly requestBytes: number
  readonly responseBytes: number
  /** True once the connections carry raw bytes: after 101. */
  readonly tunnelled: boolean
  readonly requestDone: boolean
  /**
   * Bytes of the client, of `sharedReads`. Answers the index after the last one that belongs to this request.
   * @throws HeadError 400 for malformed chunks, 413 for too many
   */
  onClientData(data: Buffer, start: number): number
  onClientDrain(): void
  onClientEnd(): void
  /** The client is gone, or its time is over. @returns what goes on without it; undefined when that was cut */
  leave(): LeftBehind | undefined
}

/** What an exchange tells the connection that it belongs to. */
export interface ExchangeHost {
  readonly client: Socket
  readonly core: RouterCore
  /** Replaced in what browsers read. */
  readonly publicOrigins: readonly PublicOrigin[]
  /** The response is out. `keep` when the client's connection may carry another request. */
  onDone(keep: boolean): void
  /** From now on bytes are raw: what came behind the request belongs to the tunnel. */
  onTunnel(exchange: ClientExchange): void
  /** The instance failed before a byte of the response went out. */
  answer(answer: OwnAnswer): void
}

/** What the router decided of a request. */
export interface ExchangePlan {
  readonly request: ClientRequest
  /** The whole head for the application. */
  readonly forApplication: string
  readonly trace: Trace
  readonly lease: Lease
  /** Of a request in chunks, and of a response that tells its length. */
  readonly maxBodyBytes: number
  /** A Set-Cookie of our own. */
  readonly cookie?: Field | undefined
}
