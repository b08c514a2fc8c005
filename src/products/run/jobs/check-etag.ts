import { CloudError } from '../../../base/cloud-error.ts'

/** @throws CloudError ABORTED when the client read another version than there is; an empty etag is any */
export function checkEtag(sent: string, current: string): void {
  if (sent === '' || sent === current) return
  throw new CloudError('ABORTED', 'The etag does not match: the resource was changed since it was read.', 'Read it again, then retry.')
}
