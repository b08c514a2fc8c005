import type { IncomingHttpHeaders } from 'node:http'
import { codes, type CloudError } from '../base/cloud-error.ts'

/**
 * Clients that repeat a call after every 5xx, without end or for ten minutes: Google's Go libraries (`ShouldRetry` of cloud.google.com/go/storage), and
 * apitools, on which gsutil and `gcloud storage` are built (apitools/base/py/http_wrapper.py). Other clients give up after 507.
 */
const triesAgain = /\bgl-go\/|\bgcloud-golang|\bGo-http-client\/|\bapitools\b/i

/** The HTTP status of an error for one client. A full disk is 507. A client that would repeat the call for ever gets 413, which ends every call. */
export function httpStatusOf({ code, fault }: CloudError, headers: IncomingHttpHeaders): number {
  if (fault !== 'DISK_FULL') return codes[code].http
  const client = `${String(headers['x-goog-api-client'] ?? '')} ${headers['user-agent'] ?? ''}`
  return triesAgain.test(client) ? 413 : 507
}
