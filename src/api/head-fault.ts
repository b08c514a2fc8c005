import type { IncomingMessage } from 'node:http'
import { CloudError } from '../base/cloud-error.ts'

/** The longest path and query, in bytes. Google's front end answers 414 above about 16 KiB; clients then send POST with X-HTTP-Method-Override. */
const longestBytes = 16 << 10
const mostHeaders = 200

/** Why no route may get a request, whatever the request asks for. Undefined for a well-formed request. Pure. */
export function headFault({ url = '/', rawHeaders }: Pick<IncomingMessage, 'url' | 'rawHeaders'>): CloudError | undefined {
  if (url.length > longestBytes) return invalid('The requested URL is too large to process.', `Send at most ${longestBytes} bytes.`)
  if (rawHeaders.length > 2 * mostHeaders) return invalid('The request has too many header fields.', `Send at most ${mostHeaders}.`)
  // what stands behind it is no part of the path to one reader, and a part to another
  if (url.includes('#')) return invalid('The requested URL has a fragment.', 'Encode # as %23.')
  return isDecodable(url) ? undefined : invalid('The requested URL has a malformed percent-encoding.', 'Encode it as UTF-8.')
}

/** Whether a target is ASCII with well-formed escapes whose bytes are UTF-8. */
function isDecodable(target: string): boolean {
  if (!/^[\x21-\x7e]*$/.test(target)) return false
  try {
    decodeURIComponent(target)
    return true
  } catch {
    return false
  }
}

function invalid(message: string, next: string): CloudError {
  return new CloudError('INVALID_ARGUMENT', message, next)
}
