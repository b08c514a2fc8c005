import type { IncomingHttpHeaders } from 'node:http'
import { codes, type CloudError } from '../base/cloud-error.ts'

/**
 * Clients that try every 5xx again, without end or for ten minutes: Google's Go libraries (`ShouldRetry` of cloud.google.com/go/storage), and
 * apitools, which gsutil and `gcloud storage` stand on (apitools/base/py/http_wrapper.py). The others give up on 507 by themselves.
 */
const triesAgain = /\bgl-go\/|\bgcloud-golang|\bGo-http-client\/|\bapitools\b/i

/** The HTTP status of an error for one client. A full disk is 507, or, where that would be asked for ever, 413, which ends every call. */
export function httpStatusOf({ code, fault }: CloudError, headers: IncomingHttpHeaders): number {
  if (fault !== 'DISK_FULL') return codes[code].http
  const client = `${String(headers['x-goog-api-client'] ?? '')} ${headers['user-agent'] ?? ''}`
  return triesAgain.test(client) ? 413 : 507
}
