import tls, { TLSSocket, type SecureContext } from 'node:tls'
import type { Duplex } from 'node:stream'
import type { CertificateAuthority } from './certificate-authority.ts'

const handshakeMs = 15_000

/** Ends TLS for one certificate authority: by SNI where the client sends it, else as localhost. */
export interface TlsEnd {
  /** @param prefersHttp1 of the server name: HTTP/1.1 is chosen where the client offers both */
  accept(raw: Duplex, prefersHttp1: (host: string) => boolean, onSecure: (socket: TLSSocket, host: string) => void): void
}

export async function openTlsEnd(authority: CertificateAuthority): Promise<TlsEnd> {
  await authority.secureContext('localhost') // fails here rather than in a handshake
  return {
    accept(raw, prefersHttp1, onSecure) {
      void authority.secureContext('localhost').then(
        (secureContext) => handshake(raw, secureContext, authority, prefersHttp1, onSecure),
        () => raw.destroy(),
      )
    },
  }
}

function handshake(
  raw: Duplex,
  secureContext: SecureContext,
  authority: CertificateAuthority,
  prefersHttp1: (host: string) => boolean,
  onSecure: (socket: TLSSocket, host: string) => void,
): void {
  const options: tls.TLSSocketOptions = {
    isServer: true,
    secureContext,
    SNICallback(servername, answer) {
      authority.secureContext(servername).then(
        (context) => answer(null, context),
        (error: Error) => answer(error),
      )
    },
    ALPNCallback: ({ servername, protocols }) =>
      (prefersHttp1(servername.toLowerCase()) ? ['http/1.1', 'h2'] : ['h2', 'http/1.1']).find((protocol) => protocols.includes(protocol)),
  }
  const socket = new TLSSocket(raw as never, options)
  const timer = setTimeout(() => raw.destroy(), handshakeMs)
  timer.unref()
  raw.once('close', () => clearTimeout(timer))
  socket.on('error', () => raw.destroy())
  socket.once('secure', () => {
    clearTimeout(timer)
    const seen = socket as TLSSocket & { readonly servername?: string | false; secureConnecting: boolean }
    seen.secureConnecting = false // as tls.Server does: node:http2 waits for it
    const { servername } = seen
    onSecure(socket, typeof servername === 'string' ? servername.toLowerCase() : 'localhost')
  })
}
