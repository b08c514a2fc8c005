import { CloudError } from '../../base/cloud-error.ts'

/** Quoted base64, as Google's are. */
export function newEtag(): string {
  return `"${Buffer.from(crypto.getRandomValues(new Uint8Array(9))).toString('base64')}"`
}

/** @param sent empty for whatever there is @throws CloudError ABORTED when the resource was changed since the client read it */
export function checkEtag(sent: string, current: string): void {
  if (sent === '' || sent === current) return
  throw new CloudError('ABORTED', 'The etag does not match: the resource was changed since it was read.', 'Read it again, then retry.')
}
