import { hasConnectionOption } from './connection-option.ts'
import { responseFraming, type Framing } from './framing.ts'
import { hasDate, untracedResponse } from './forward-head.ts'
import { isEventStream } from './left-behind.ts'
import { HeadError, type Field, type RequestHead, type ResponseHead } from './http-head.ts'
import type { Front } from './origin.ts'
import { isPlainText } from './public-origins.ts'

/** What an answer needs to know of its request. */
interface AnsweredRequest {
  readonly head: Pick<RequestHead, 'method' | 'minor'>
  readonly front: Front
  readonly upgrade: boolean
  readonly plain: boolean
  readonly close: boolean
}

/** A response's head, read and translated. */
export interface AnsweredHead {
  /** The head as it came, with its empty line. */
  readonly bytes: Buffer
  readonly status: number
  readonly framing: Framing
  /** The head for the client but for its end (`responseEnd`). */
  readonly forClient: string
  readonly dated: boolean
  readonly keepUpstream: boolean
  /** The client's connection ends after this. */
  readonly close: boolean
  /** Text in which origins are replaced. */
  readonly replaces: boolean
  /** `text/event-stream`, or a body without a length: it may never end. */
  readonly stream: 'events' | 'open' | undefined
}

/** @throws HeadError for a response that cannot be passed on */
export function answerHead(bytes: Buffer, head: ResponseHead, request: AnsweredRequest, cookie: Field | undefined): AnsweredHead {
  const { method, minor } = request.head
  if (head.status === 101 && !request.upgrade) throw new HeadError(502, 'Nobody asked for another protocol.')
  const framing = responseFraming(head, method)
  const close = request.close || framing.kind === 'close'
  const isUnframed = framing.kind === 'chunked' && minor === 0
  const whole = cookie === undefined ? head : { ...head, fields: [...head.fields, cookie] }
  return {
    bytes,
    status: head.status,
    framing,
    forClient: untracedResponse(whole, isUnframed ? { kind: 'close' } : framing, request.front, close),
    dated: hasDate(head),
    keepUpstream: !hasConnectionOption(head.fields, 'close') && head.minor === 1 && framing.kind !== 'close',
    close,
    replaces: request.plain && isPlainText(head.fields),
    stream: isEventStream(head) ? 'events' : framing.kind === 'chunked' || framing.kind === 'close' ? 'open' : undefined,
  }
}
