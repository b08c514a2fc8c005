import type { AnsweredHead } from './answered-head.ts'
import { hasConnectionOption } from './connection-option.ts'
import { requestFraming, type Framing } from './framing.ts'
import { clientTraceId, untracedRequest, valueOf } from './forward-head.ts'
import { HeadError, readRequestHead, type RequestHead } from './http-head.ts'
import type { PassageRequest } from './passage.ts'
import { isBrowserText } from './public-origins.ts'

/** All that one head says, read once. A client that sends the same bytes again on its connection gets the same value. */
export interface ClientRequest extends PassageRequest {
  /** The head as it came, with its empty line. */
  readonly bytes: Buffer
  readonly framing: Framing
  /** The head for the application but for its end (`requestEnd`). */
  readonly forApplication: string
  /** Wants to be a WebSocket. Other protocols are not passed on: HTTP/2 behind an upgrade would go past all that is checked here. */
  readonly upgrade: boolean
  /** May get pages with public origins replaced. */
  readonly plain: boolean
  /** The client wants its connection closed after this one. */
  readonly close: boolean
  /** The head of the last response to this request, and what became of it: instances repeat theirs, too. */
  answered: AnsweredHead | undefined
}

interface ConnectionFacts {
  readonly scheme: 'http' | 'https'
  readonly remoteIp: string
  readonly replacesOrigins: boolean
}

/** @throws HeadError for what is malformed, or means different things to different readers */
export function readClientRequest(bytes: Buffer, facts: ConnectionFacts): ClientRequest {
  const head = readRequestHead(bytes.toString('latin1', 0, bytes.length - 4))
  const { fields } = head
  const framing = requestFraming(head)
  const { host, port } = readHost(head)
  if (head.method === 'TRACE' || head.method === 'CONNECT') throw new HeadError(405, `${head.method} is not passed on.`)
  const expects = valueOf(fields, 'expect')
  if (expects !== '' && expects.toLowerCase() !== '100-continue') throw new HeadError(417, `Expect "${expects}" cannot be met.`)
  const front = { scheme: facts.scheme, host, port }
  const upgrade =
    framing.kind === 'none' && valueOf(fields, 'upgrade').toLowerCase() === 'websocket' && hasConnectionOption(fields, 'upgrade')
  const plain = facts.replacesOrigins && isBrowserText(fields)
  return {
    bytes,
    head,
    framing,
    front,
    forApplication: untracedRequest(head, framing, front, facts.remoteIp, { upgrade, plain }),
    upgrade,
    plain,
    close: head.minor === 0 || hasConnectionOption(fields, 'close'),
    declaredBytes: framing.kind === 'length' ? framing.bytes : 0,
    traceId: clientTraceId(fields),
    userAgent: valueOf(fields, 'user-agent'),
    answered: undefined,
  }
}

/** The one Host, without and with its port. @throws HeadError 400 for none or several, 421 for an absolute target of another host */
function readHost(head: RequestHead): { readonly host: string; readonly port: string } {
  const hosts = head.fields.filter((field) => field.lower === 'host')
  const [first] = hosts
  if (hosts.length > 1 || (first === undefined && head.minor === 1)) throw new HeadError(400, 'A request needs exactly one Host.')
  const [, host, port] = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?$/.exec((first?.value ?? '').toLowerCase()) ?? []
  if (host === undefined) throw new HeadError(400, 'The Host header is malformed.')
  if (!head.target.startsWith('/') && !(head.target === '*' && head.method === 'OPTIONS'))
    throw new HeadError(421, 'This is no proxy: send a path, not a whole URL.')
  return { host: host.replace(/\.$/, ''), port: port ?? '' }
}
