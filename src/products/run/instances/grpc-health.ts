import http2 from 'node:http2'
import type { Address } from '../../../router/upstream.ts'

/**
 * Calls grpc.health.v1.Health/Check over HTTP/2 with prior knowledge.
 * @see https://github.com/grpc/grpc/blob/master/doc/health-checking.md
 * @returns undefined when it answers SERVING, else what it said
 */
export function askHealth(address: Address, service: string, signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const session = http2.connect(`http://${address.host}:${address.port}`)
    const settle = (act: () => void) => {
      signal.removeEventListener('abort', onAbort)
      act()
      session.destroy()
    }
    const onAbort = () => settle(() => reject(signal.reason))
    signal.addEventListener('abort', onAbort, { once: true })
    session.on('error', (error) => settle(() => reject(error)))
    const call = session.request({
      ':method': 'POST',
      ':path': '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
      te: 'trailers',
    })
    const chunks: Buffer[] = []
    let status: string | undefined
    call.on('error', (error) => settle(() => reject(error)))
    call.on('response', (headers) => (status = toText(headers['grpc-status'])))
    call.on('trailers', (trailers) => (status ??= toText(trailers['grpc-status'])))
    call.on('data', (chunk: Buffer) => void (chunks.length < 16 && chunks.push(chunk)))
    call.on('close', () => settle(() => resolve(readAnswer(status, Buffer.concat(chunks)))))
    call.end(toRequest(service))
  })
}

/** gRPC's frame (a zero, four bytes of length) around `HealthCheckRequest { string service = 1 }`. */
function toRequest(service: string): Buffer {
  const name = Buffer.from(service)
  const message = name.length === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x0a, ...varint(name.length)]), name])
  const head = Buffer.alloc(5)
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}

/** `HealthCheckResponse { ServingStatus status = 1 }`: `08 01` is SERVING, an empty one is UNKNOWN. */
function readAnswer(status: string | undefined, frame: Buffer): string | undefined {
  if (status !== '0') return status === undefined ? 'no gRPC answer' : `gRPC status ${status}`
  const serving = frame[5] === 0x08 ? frame[6] : 0
  return serving === 1 ? undefined : `answered ${['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'][serving ?? 0] ?? serving}`
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)]
}

function toText(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value
}
