import { kindOfHost, readHost } from './hosts.ts'

/** By which way in a request came: the plain port of this machine, or a name of Google's that was led here. */
export type Door = 'endpoints' | 'redirected'

export interface SeenRequest {
  readonly method: string
  /** Every Host header, or the one :authority. */
  readonly hosts: readonly string[]
  readonly origin: string | undefined
  readonly fetchSite: string | undefined
}

export type Decision =
  | { readonly kind: 'api' }
  | { readonly kind: 'metadata' }
  | { readonly kind: 'refuse'; readonly http: number; readonly status: string; readonly grpc: number; readonly message: string }

/** Who answers a request. Pure: nothing of it is written or dialled here. */
export function decideRequest(request: SeenRequest, door: Door, isKnown: (host: string) => boolean): Decision {
  const [authority = '', ...others] = request.hosts
  const read = others.length === 0 ? readHost(authority) : undefined
  if (read === undefined) return refuse(400, 'INVALID_ARGUMENT', 3, 'The request needs exactly one valid Host.')
  const kind = kindOfHost(read.host, isKnown)
  if (kind === 'unemulated') return refuse(400, 'UNIMPLEMENTED', 12, `devcloud does not emulate ${read.host}.`)
  const isOurs = kind === 'api' || kind === 'metadata' || (kind === 'local' && door === 'endpoints')
  if (!isOurs) return refuse(421, 'FAILED_PRECONDITION', 9, `No host ${read.host} is served here.`)
  if (door === 'endpoints' && kind === 'local' && isForeignPage(request, authority)) {
    return refuse(403, 'PERMISSION_DENIED', 7, 'A page of another origin may not change anything here.')
  }
  return { kind: kind === 'metadata' ? 'metadata' : 'api' }
}

/** Whether a browser sends this for a page that we did not serve, and it may change something (S2). Asked where no token is: on local names. */
function isForeignPage({ method, origin, fetchSite }: SeenRequest, authority: string): boolean {
  if (method === 'GET' || method === 'HEAD' || method === 'OPTIONS') return false
  if (origin !== undefined) return origin !== `http://${authority}` && origin !== `https://${authority}`
  return fetchSite !== undefined && fetchSite !== 'same-origin' && fetchSite !== 'none'
}

function refuse(http: number, status: string, grpc: number, message: string): Decision {
  return { kind: 'refuse', http, status, grpc, message }
}
