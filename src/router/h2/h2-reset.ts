import type { Http2Stream } from 'node:http2'
import { addAbortSignal } from 'node:stream'

// Http2Stream.close(code) first ends the body, which then looks whole to the other side: both of these do not.

/** Resets `stream` with CANCEL. */
export function cancelStream(stream: Http2Stream): void {
  if (!stream.destroyed) addAbortSignal(AbortSignal.abort(), stream)
}

/** Resets `stream` with INTERNAL_ERROR. It needs a listener for 'error'. */
export function breakStream(stream: Http2Stream): void {
  stream.destroy(new Error('The other side broke.'))
}
