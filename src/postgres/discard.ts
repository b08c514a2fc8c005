import { Writable } from 'node:stream'

/** A stream for output that nobody reads. */
export function discard(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() })
}
