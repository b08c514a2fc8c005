import type { Socket } from 'node:net'

/** What a client speaks, told by its first bytes. */
export type FirstProtocol = 'tls' | 'h2' | 'http1'

/** RFC 9113, section 3.4. */
const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

/** @returns undefined while the bytes may still become HTTP/2's preface, which differs from every request of HTTP/1.1 by its third byte */
function firstProtocol(bytes: Buffer): FirstProtocol | undefined {
  if (bytes[0] === 0x16) return 'tls'
  const length = Math.min(bytes.length, preface.length)
  if (bytes.compare(preface, 0, length, 0, length) !== 0) return 'http1'
  return length === preface.length ? 'h2' : undefined
}

/** How long a client may keep us waiting for its first bytes. */
const silenceMs = 15_000

/** Waits for what a client speaks first, and hands over the bytes that told it. The socket is paused then. */
export function onFirstProtocol(socket: Socket, tell: (protocol: FirstProtocol, bytes: Buffer) => void): void {
  let held: Buffer | undefined
  const done = (protocol: FirstProtocol, bytes: Buffer) => {
    socket.setTimeout(0).off('data', onData).off('end', onEnd).off('timeout', onTimeout).pause()
    tell(protocol, bytes)
  }
  const onData = (data: Buffer) => {
    held = held === undefined ? data : Buffer.concat([held, data])
    const protocol = firstProtocol(held)
    if (protocol !== undefined) done(protocol, held)
  }
  const onEnd = () => (held === undefined ? socket.destroy() : done('http1', held))
  const onTimeout = () => socket.destroy()
  socket.on('data', onData).on('end', onEnd).setTimeout(silenceMs).on('timeout', onTimeout)
}
