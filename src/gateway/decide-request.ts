import { isBytesHost, kindOfHost, readHost } from './hosts.ts'

/** The door by which a request came: the plain port of this machine, or one of Google's names that leads here. */
export type Door = 'endpoints' | 'redirected'

export interface SeenRequest {
  /** Every Host header, or the one :authority. */
  readonly hosts: readonly string[]
}

export type Decision =
  /** @param lendsAuthority whether the name is one at which a request without a token may be the local user's */
  | { readonly kind: 'api'; readonly lendsAuthority: boolean }
  | { readonly kind: 'metadata' }
  | { readonly kind: 'refuse'; readonly http: number; readonly status: string; readonly grpc: number; readonly message: string }

/** Decides who answers a request. Pure: writes nothing and dials nothing. Containers and clients of the proxy get answers at Google's names alone. */
export function decideRequest(request: SeenRequest, door: Door, isKnown: (host: string) => boolean): Decision {
  const [authority = '', ...others] = request.hosts
  const read = others.length === 0 ? readHost(authority) : undefined
  if (read === undefined) return refuse(400, 'INVALID_ARGUMENT', 3, 'The request needs exactly one valid Host.')
  const { host } = read
  const kind = kindOfHost(host, isKnown)
  if (kind === 'unemulated') return refuse(400, 'UNIMPLEMENTED', 12, `devcloud does not emulate ${host}.`)
  if (kind === 'metadata') return { kind }
  if (kind === 'api') return { kind, lendsAuthority: false }
  if (door === 'endpoints' && (kind === 'local' || kind === 'endpoint')) return { kind: 'api', lendsAuthority: !isBytesHost(host) }
  return refuse(421, 'FAILED_PRECONDITION', 9, `No host ${host} is served here.`)
}

function refuse(http: number, status: string, grpc: number, message: string): Decision {
  return { kind: 'refuse', http, status, grpc, message }
}
