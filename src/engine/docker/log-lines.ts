import type { LogLine } from '../engine.ts'

/** Longest piece of a line, in bytes. */
const pieceBytes = 256 * 1024

/** A line, and the time stamp as Docker gave it, to nanoseconds. */
export interface StampedLine extends LogLine {
  readonly stamp: string
}

/**
 * Reads Docker's multiplexed log: frames of `[1 or 2, 0, 0, 0, length of 4 bytes]` and `2026-01-02T03:04:05.123456789Z text\n`. Docker cuts
 * lines of more than 16 KiB into frames without a newline; they are put together again, up to `pieceBytes`.
 */
export async function* readLogLines(stream: AsyncIterable<unknown>): AsyncIterable<StampedLine> {
  const open = new Map<LogLine['stream'], { stamp: string; bytes: Buffer[]; size: number }>()
  for await (const { type, payload } of frames(stream)) {
    const space = payload.indexOf(0x20)
    const stamp = payload.toString('latin1', 0, Math.max(space, 0))
    const isWhole = payload.at(-1) === 0x0a
    const line = open.get(type) ?? { stamp, bytes: [], size: 0 }
    const text = payload.subarray(space + 1, isWhole ? -1 : undefined)
    line.bytes.push(text)
    line.size += text.length
    if (!isWhole && line.size <= pieceBytes) {
      open.set(type, line)
      continue
    }
    open.delete(type)
    let bytes = Buffer.concat(line.bytes)
    while (bytes.length > pieceBytes) {
      const end = characterEnd(bytes, pieceBytes)
      yield toLine(type, line.stamp, bytes.subarray(0, end))
      bytes = bytes.subarray(end)
    }
    if (isWhole) yield toLine(type, line.stamp, bytes)
    else if (bytes.length > 0) open.set(type, { stamp, bytes: [bytes], size: bytes.length })
  }
  for (const [type, line] of open) yield toLine(type, line.stamp, Buffer.concat(line.bytes))
}

async function* frames(stream: AsyncIterable<unknown>): AsyncIterable<{ readonly type: LogLine['stream']; readonly payload: Buffer }> {
  let rest = Buffer.alloc(0)
  for await (const chunk of stream) {
    rest = rest.length === 0 ? Buffer.from(chunk as Uint8Array) : Buffer.concat([rest, chunk as Uint8Array])
    for (;;) {
      if (rest.length < 8) break
      const size = rest.readUInt32BE(4)
      if (rest.length < 8 + size) break
      yield { type: rest[0] === 2 ? 'stderr' : 'stdout', payload: rest.subarray(8, 8 + size) }
      rest = rest.subarray(8 + size)
    }
  }
}

function toLine(stream: LogLine['stream'], stamp: string, bytes: Buffer): StampedLine {
  return { stream, stamp, timeMs: Date.parse(stamp), text: bytes.toString('utf8').replace(/\r$/, '') }
}

/** At most `limit`, and not within a character of UTF-8. */
function characterEnd(bytes: Buffer, limit: number): number {
  let end = limit
  while (end > limit - 4 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--
  return end
}
