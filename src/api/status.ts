import type { IncomingHttpHeaders } from 'node:http'
import { create } from '@bufbuild/protobuf'
import { Code as ConnectCode, ConnectError } from '@connectrpc/connect'
import { DebugInfoSchema, ErrorInfoSchema } from './gen/google/rpc/error_details_pb.ts'
import { CloudError, codes, type Code } from '../base/cloud-error.ts'
import { httpStatusOf } from './http-status.ts'

/** An error for REST: google.rpc.Status in Google's envelope, and the HTTP status. */
export function toRestError(error: unknown, headers: IncomingHttpHeaders): { readonly http: number; readonly body: RestError } {
  const { code, message, details } = toStatus(error)
  const http = error instanceof CloudError ? httpStatusOf(error, headers) : codes[code].http
  return { http, body: { error: { code: http, message, status: code, ...(details.length > 0 && { details: details.map(toJsonDetail) }) } } }
}

export interface RestError {
  readonly error: { readonly code: number; readonly message: string; readonly status: Code; readonly details?: readonly unknown[] }
}

/** The error for what devcloud does not emulate: refused by name. Never a quiet success, and never a 404, which Terraform takes for a deleted resource. */
export function unimplemented(what: string): CloudError {
  return new CloudError('UNIMPLEMENTED', `devcloud does not emulate ${what}.`, 'See the table of products in the README.')
}

/** An error for gRPC, with the message and details of REST (sql trap 41). */
export function toConnectError(error: unknown): ConnectError {
  if (error instanceof ConnectError) return error
  const { code, message, details } = toStatus(error)
  const outgoing = details.map((detail) =>
    detail.kind === 'info'
      ? { desc: ErrorInfoSchema, value: { reason: detail.reason, domain, metadata: { next: detail.next } } }
      : { desc: DebugInfoSchema, value: { stackEntries: [...detail.lines] } },
  )
  return new ConnectError(message, codes[code].grpc as ConnectCode, undefined, outgoing, error)
}

/** The error of a failed operation: code, message, and details as messages. */
export function toOperationError(error: unknown) {
  const { code, message, details } = toStatus(error)
  const messages = details.map((detail) =>
    detail.kind === 'info'
      ? ([ErrorInfoSchema, create(ErrorInfoSchema, { reason: detail.reason, domain, metadata: { next: detail.next } })] as const)
      : ([DebugInfoSchema, create(DebugInfoSchema, { stackEntries: [...detail.lines] })] as const),
  )
  return { code: codes[code].grpc, message, details: messages }
}

const domain = 'devcloud.dev'

type Detail =
  | { readonly kind: 'info'; readonly reason: string; readonly next: string }
  | { readonly kind: 'debug'; readonly lines: readonly string[] }

function toStatus(error: unknown): { readonly code: Code; readonly message: string; readonly details: readonly Detail[] } {
  if (error instanceof ConnectError) {
    const name = (Object.keys(codes) as Code[]).find((key) => codes[key].grpc === (error.code as number)) ?? 'UNKNOWN'
    return { code: name, message: error.rawMessage, details: [] }
  }
  if (!(error instanceof CloudError)) return { code: 'INTERNAL', message: 'Internal error encountered.', details: [] }
  const details: Detail[] = error.fault === undefined ? [] : [{ kind: 'info', reason: error.fault, next: error.next }]
  if (error.evidence.length > 0) details.push({ kind: 'debug', lines: error.evidence })
  return { code: error.code, message: clipped(error.message), details }
}

/** Cuts a long message: it may contain what the client sent, up to a megabyte. */
function clipped(text: string): string {
  return text.length > 4000 ? `${text.slice(0, 4000)}...` : text
}

function toJsonDetail(detail: Detail): unknown {
  return detail.kind === 'info'
    ? { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: detail.reason, domain, metadata: { next: detail.next } }
    : { '@type': 'type.googleapis.com/google.rpc.DebugInfo', stackEntries: detail.lines }
}
