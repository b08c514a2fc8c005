import { requestForApplication, valueOf, type Trace } from './forward-head.ts'
import type { Framing } from './framing.ts'
import { H1InstanceRequest } from './h1-instance-request.ts'
import { h2RequestForApplication } from './h2/h2-fields.ts'
import { H2InstanceRequest } from './h2/h2-instance-request.ts'
import type { RequestHead } from './http-head.ts'
import type { InstanceReply, InstanceRequest } from './instance-request.ts'
import type { Front } from './origin.ts'
import { isBrowserText } from './public-origins.ts'
import { replacedReply } from './replaced-reply.ts'
import type { RouterCore } from './router-core.ts'
import type { Address } from './upstream.ts'

/** A request whose body has no framing of HTTP/1.1: of an HTTP/2 client. */
export interface UnframedRequest {
  readonly head: RequestHead
  readonly front: Front
  readonly remoteIp: string
  readonly trace: Trace
  /** There is no body. */
  readonly isWhole: boolean
  /** What the instance speaks. */
  readonly asHttp2: boolean
}

/** Sends the head to the instance. @throws Error when it cannot be said in HTTP/2 */
export function openInstanceRequest(core: RouterCore, address: Address, request: UnframedRequest, reply: InstanceReply): InstanceRequest {
  const { head, front, remoteIp, trace, isWhole, asHttp2 } = request
  const plain = core.publicOrigins.length > 0 && isBrowserText(head.fields)
  const reader = plain ? replacedReply(reply, core.publicOrigins) : reply
  if (asHttp2) {
    return new H2InstanceRequest(core.sessions, address, h2RequestForApplication(head, front, remoteIp, trace, plain), isWhole, reader)
  }
  const framing = framingOf(head, isWhole)
  const text = requestForApplication(head, framing, front, remoteIp, trace, { upgrade: false, plain })
  return new H1InstanceRequest(core.connections, address, text, head.method, framing, reader)
}

function framingOf({ fields }: RequestHead, isWhole: boolean): Framing {
  if (isWhole) return { kind: 'none' }
  const length = valueOf(fields, 'content-length')
  return /^\d{1,15}$/.test(length) ? { kind: 'length', bytes: Number(length) } : { kind: 'chunked' }
}
