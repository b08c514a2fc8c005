import { randomFillSync } from 'node:crypto'
import type { Trace } from './forward-head.ts'

const pool = Buffer.alloc(24 * 256)
let next = pool.length

/** A trace of its own for a request that came with none. Random bytes are drawn for 256 requests at a time. */
export function freshTrace(): Trace {
  if (next === pool.length) {
    randomFillSync(pool)
    next = 0
  }
  const hex = pool.toString('hex', next, next + 24)
  next += 24
  return { traceId: hex.slice(0, 32), spanId: hex.slice(32) }
}
