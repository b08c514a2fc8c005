import type { Duplex } from 'node:stream'

/** What was read at the front of a stream, and how many of these bytes the next reader must not see. */
export interface First<T> {
  readonly value: T
  readonly used: number
}

/**
 * Reads the front of `socket` until `read` gives a value, and puts the rest back. The socket is paused afterwards: hand the socket over, then resume it.
 * @returns undefined when the socket ended, was too slow, or sent `maxBytes` without a value
 */
export async function readFirst<T>(
  socket: Duplex,
  read: (head: Buffer) => First<T> | undefined,
  limits: { readonly maxBytes: number; readonly timeoutMs: number },
): Promise<T | undefined> {
  const { promise, resolve } = Promise.withResolvers<T | undefined>()
  let head = Buffer.alloc(0)
  const finish = (value: T | undefined) => {
    clearTimeout(timer)
    socket.off('data', onData).off('end', onEnd).off('close', onEnd)
    resolve(value)
  }
  const onEnd = () => finish(undefined)
  const onData = (chunk: Buffer) => {
    head = Buffer.concat([head, chunk])
    const first = read(head)
    if (first === undefined && head.length < limits.maxBytes) return
    socket.pause()
    if (first !== undefined && first.used < head.length) socket.unshift(head.subarray(first.used))
    finish(first?.value)
  }
  const timer = setTimeout(onEnd, limits.timeoutMs)
  timer.unref()
  socket.on('data', onData).once('end', onEnd).once('close', onEnd)
  return await promise
}

export type Protocol = 'tls' | 'h2' | 'http1'

/** Reads the protocol from the first bytes: a TLS record begins with 0x16, an HTTP/2 connection with `PRI * HTTP/2.0`. */
export function readProtocol(head: Buffer): First<Protocol> | undefined {
  if (head[0] === 0x16) return { value: 'tls', used: 0 }
  const preface = 'PRI * HTTP/2.0'
  const text = head.toString('latin1', 0, preface.length)
  if (text === preface) return { value: 'h2', used: 0 }
  return head.length > 0 && !preface.startsWith(text) ? { value: 'http1', used: 0 } : undefined
}

/** Reads the Host of an HTTP/1.1 head as soon as the header has arrived. Empty for a head without Host. */
export function readHostHeader(head: Buffer): First<string> | undefined {
  const text = head.toString('latin1')
  const host = /\r?\nhost:[ \t]*([^\r\n]*)\r?\n/i.exec(text)?.[1]
  if (host !== undefined) return { value: host.trim(), used: 0 }
  return /\r?\n\r?\n/.test(text) ? { value: '', used: 0 } : undefined
}

/**
 * The line with which a forwarder in a project's network begins each connection, before the bytes of its client:
 * `DEVCLOUD1 10.89.3.4 443\n`, or with the project as a fourth word where one socket serves all.
 */
export function readForwarded(head: Buffer): First<Forwarded> | undefined {
  const end = head.indexOf(0x0a)
  if (end < 0) return undefined
  const found = /^DEVCLOUD1 ([0-9a-fA-F.:]{1,45}) (\d{1,5})(?: ([a-z0-9.:-]{1,63}))?\r?$/.exec(head.toString('latin1', 0, end))
  if (found === null) return { value: { ip: '', port: 0, project: undefined }, used: 0 }
  return { value: { ip: found[1] ?? '', port: Number(found[2]), project: found[3] }, used: end + 1 }
}

export interface Forwarded {
  /** Empty for a line of another form. */
  readonly ip: string
  readonly port: number
  readonly project: string | undefined
}
