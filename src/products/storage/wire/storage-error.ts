import type { IncomingHttpHeaders } from 'node:http'
import { httpStatusOf } from '../../../api/http-status.ts'
import { CloudError, type Code } from '../../../base/cloud-error.ts'

/** An error as Storage's wires tell it. */
export interface StorageError {
  readonly status: number
  /** As JSON says it: `conditionNotMet`. */
  readonly reason: string
  /** As XML says it: `PreconditionFailed`. */
  readonly xmlCode: string
  readonly xmlMessage: string
  readonly message: string
}

type Told = readonly [status: number, reason: string, xmlCode: string, xmlMessage: string]

/** Sources: cloud.google.com/storage/docs/json_api/v1/status-codes, cloud.google.com/storage/docs/xml-api/reference-status. */
const byFault: Readonly<Record<string, Told>> = {
  INVALID: [400, 'invalid', 'InvalidArgument', 'Invalid argument.'],
  REQUIRED: [400, 'required', 'InvalidArgument', 'Invalid argument.'],
  EXPIRED_TOKEN: [400, 'invalid', 'ExpiredToken', 'The provided token has expired.'],
  MALFORMED_HEADER: [400, 'invalid', 'MalformedSecurityHeader', 'Your request has a malformed header.'],
  SIGNATURE: [403, 'forbidden', 'SignatureDoesNotMatch', 'Access denied.'],
  ANONYMOUS: [401, 'required', 'AccessDenied', 'Access denied.'],
  FORBIDDEN: [403, 'forbidden', 'AccessDenied', 'Access denied.'],
  BUCKET_NOT_FOUND: [404, 'notFound', 'NoSuchBucket', 'The specified bucket does not exist.'],
  // No 5xx: Google's Go client would ask for the bytes for ever.
  BLOB_GONE: [404, 'notFound', 'NoSuchKey', 'The specified key does not exist.'],
  OBJECT_NOT_FOUND: [404, 'notFound', 'NoSuchKey', 'The specified key does not exist.'],
  BUCKET_EXISTS: [409, 'conflict', 'BucketAlreadyOwnedByYou', 'Your previous request to create the named bucket succeeded.'],
  BUCKET_NOT_EMPTY: [409, 'conflict', 'BucketNotEmpty', 'The bucket you tried to delete was not empty.'],
  CONDITION_NOT_MET: [412, 'conditionNotMet', 'PreconditionFailed', 'At least one of the pre-conditions you specified did not hold.'],
  RANGE: [416, 'requestedRangeNotSatisfiable', 'InvalidRange', 'The requested range cannot be satisfied.'],
  UNIMPLEMENTED: [400, 'notImplemented', 'NotImplemented', 'A header or query you provided requested a function that is not implemented.'],
}

const byCode: Partial<Readonly<Record<Code, Told>>> = {
  FAILED_PRECONDITION: [400, 'failedPrecondition', 'InvalidRequest', 'The request cannot be met now.'],
  NOT_FOUND: [404, 'notFound', 'NoSuchKey', 'Not found.'],
  INVALID_ARGUMENT: [400, 'invalid', 'InvalidArgument', 'Invalid argument.'],
  PERMISSION_DENIED: [403, 'forbidden', 'AccessDenied', 'Access denied.'],
  UNAUTHENTICATED: [401, 'authError', 'AuthenticationRequired', 'Authentication required.'],
  CANCELLED: [499, 'clientClosedRequest', 'RequestCancelled', 'The request was cancelled.'],
  UNAVAILABLE: [503, 'backendError', 'ServiceUnavailable', 'Service unavailable. Try again.'],
}

/** @param isRead whether nothing was to change: then a NotMatch that failed is 304, else 412 (storage trap 11) */
export function toStorageError(error: unknown, isRead: boolean, headers: IncomingHttpHeaders): StorageError {
  if (!(error instanceof CloudError)) return toRefusal(error)
  const { code, fault, message } = error
  const notModified: Told = [304, 'notModified', 'NotModified', message]
  const known = fault === 'NOT_MODIFIED' ? (isRead ? notModified : byFault['CONDITION_NOT_MET']) : byFault[fault ?? '']
  if (fault === 'DISK_FULL') {
    return {
      status: httpStatusOf(error, headers),
      reason: 'diskFull',
      xmlCode: 'InsufficientStorage',
      xmlMessage: 'The disk is full.',
      message,
    }
  }
  const [status, reason, xmlCode, xmlMessage] = known ??
    byCode[code] ?? [httpStatusOf(error, headers), 'backendError', 'InternalError', message]
  return { status, reason, xmlCode, xmlMessage, message }
}

/** Whether the daemon's log must tell of it: nobody but us can mend it. */
export function isOurFault(error: unknown): boolean {
  return error instanceof CloudError ? error.code === 'DATA_LOSS' : toRefusal(error).status === 500
}

/** The body that a JSON client reads. */
export function toJsonError({ status, reason, message }: StorageError): unknown {
  const location =
    reason === 'required' && status === 401
      ? { locationType: 'header', location: 'Authorization' }
      : reason === 'conditionNotMet'
        ? { locationType: 'header', location: 'If-Match' }
        : {}
  const told = { code: status, message, errors: [{ message, domain: 'global', reason, ...location }] }
  return { error: reason === 'notImplemented' ? { ...told, status: 'UNIMPLEMENTED' } : told } // Storage names no status else
}

/** fastify's own refusals carry a status below 500; the rest is a fault of ours, whose words stay here. */
function toRefusal(error: unknown): StorageError {
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined
  if (error instanceof Error && typeof status === 'number' && status < 500) {
    return { status, reason: 'invalid', xmlCode: 'InvalidArgument', xmlMessage: 'Invalid argument.', message: error.message }
  }
  const message = 'We encountered an internal error. Please try again.'
  return { status: 500, reason: 'backendError', xmlCode: 'InternalError', xmlMessage: message, message }
}
