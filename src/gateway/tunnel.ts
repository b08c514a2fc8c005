import net from 'node:net'
import type { Duplex } from 'node:stream'

const connectMs = 30_000

/** Passes bytes both ways, unread, between a CONNECT client and a host. Answers 502 when the host cannot be reached. */
export function openTunnel(client: Duplex, head: Buffer, target: { readonly host: string; readonly port: number }): void {
  const upstream = net.connect({ ...target, noDelay: true, timeout: connectMs })
  const end = () => {
    client.destroy()
    upstream.destroy()
  }
  const refuse = () => {
    upstream.destroy()
    if (!client.destroyed) client.end('HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
  }
  upstream.once('error', refuse).once('timeout', refuse)
  client.once('error', end).once('close', end)
  upstream.once('connect', () => {
    upstream.setTimeout(0).off('error', refuse).on('error', end).once('close', end)
    client.write('HTTP/1.1 200 Connection established\r\n\r\n')
    if (head.length > 0) upstream.write(head)
    upstream.pipe(client)
    client.pipe(upstream)
  })
}
