import { randomFillSync } from 'node:crypto'
import type { Trace } from './forward-head.ts'

/** Random bytes of so many traces are drawn and written as hex at once: one by one they cost more than the rest of a head. */
const drawn = 256
const hexEach = 46
const pool = Buffer.alloc((drawn * hexEach) / 2)
let hex = ''
let next = 0

/**
 * A trace of its own for a request that came with none, else a span of its own in the trace that came. The first three digits of a span are 0, so that its decimal form, which Google's header
 * wants, is a number of JavaScript's.
 */
export function freshTrace(traceId?: string): Trace {
  if (next === hex.length) {
    hex = randomFillSync(pool).toString('hex')
    next = 0
  }
  const at = next
  next += hexEach
  return new FreshTrace(traceId ?? hex.slice(at, at + 32), `000${hex.slice(at + 32, at + 45)}`)
}

class FreshTrace implements Trace {
  readonly traceId: string
  readonly spanId: string
  constructor(traceId: string, spanId: string) {
    this.traceId = traceId
    this.spanId = spanId
  }
}
