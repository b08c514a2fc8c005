import type { IncomingHttpHeaders } from 'node:http'
import { toRestError } from '../../../api/status.ts'
import { CloudError, type Code } from '../../../base/cloud-error.ts'

/**
 * An error as Cloud SQL answers it: `errors[].reason` is what Terraform and gcloud look at. `status` and `details` are in it as well.
 * Source: sql trap 11; recorded answers in GoogleCloudPlatform/k8s-config-connector.
 */
export function toSqlError(error: unknown, headers: IncomingHttpHeaders): { readonly http: number; readonly body: unknown } {
  const { http, body } = toRestError(error, headers)
  const fault = error instanceof CloudError ? reasonsOfFaults.get(error.fault ?? '') : undefined
  const reason = fault?.reason ?? reasons[body.error.status] ?? 'backendError'
  const status = fault?.http ?? http
  const { message } = body.error
  return { http: status, body: { error: { ...body.error, code: status, errors: [{ domain: 'global', reason, message }] } } }
}

/** The `reason` that Google's clients look at, by the fault. */
const reasonsOfFaults = new Map<string, { readonly reason: string; readonly http?: number }>([
  ['SQL_INSTANCE_MISSING', { reason: 'instanceDoesNotExist' }],
  ['SQL_INSTANCE_EXISTS', { reason: 'instanceAlreadyExists' }],
  ['SQL_OPERATION_IN_PROGRESS', { reason: 'operationInProgress' }],
  ['SQL_SETTINGS_STALE', { reason: 'staleData', http: 412 }],
  ['SQL_FLAG_UNKNOWN', { reason: 'invalidFlagName' }],
])

const reasons: Partial<Readonly<Record<Code, string>>> = {
  INVALID_ARGUMENT: 'invalid',
  FAILED_PRECONDITION: 'invalid',
  NOT_FOUND: 'notFound',
  ALREADY_EXISTS: 'alreadyExists',
  UNAUTHENTICATED: 'required',
  PERMISSION_DENIED: 'notAuthorized',
  UNIMPLEMENTED: 'notImplemented',
  INTERNAL: 'internalError',
}
