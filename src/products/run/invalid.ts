import { CloudError } from '../../base/cloud-error.ts'

/** What a client has wrong. @param message begins with the field, where it is about one */
export function invalid(message: string, next = 'Correct the request.', options?: ErrorOptions): CloudError {
  return new CloudError('INVALID_ARGUMENT', message, next, options)
}
