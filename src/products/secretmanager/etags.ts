import { CloudError } from '../../base/cloud-error.ts'

/** Fourteen hexadecimal digits in quotes, as Secret Manager writes an etag. */
export function newEtag(): string {
  return `"${crypto.randomUUID().replaceAll('-', '').slice(0, 14)}"`
}

/** @param sent the client's etag; empty without one. @throws CloudError FAILED_PRECONDITION where the resource has another one by now */
export function checkEtag(sent: string, current: string): void {
  if (sent === '' || sent === current) return
  throw new CloudError(
    'FAILED_PRECONDITION',
    `The etag provided (${sent}) does not match the current one (${current}).`,
    'Read it again, then retry.',
  )
}
