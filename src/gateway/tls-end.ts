import tls, { TLSSocket, type SecureContext } from 'node:tls'
import type { Duplex } from 'node:stream'
import type { CertificateAuthority } from './certificate-authority.ts'

const handshakeMs = 15_000

/** Ends TLS with certificates of one authority: for the name in SNI, or for localhost when the client sends no SNI. */
export interface TlsEnd {
  accept(raw: Duplex, onSecure: (socket: TLSSocket, host: string) => void): void
}

export async function openTlsEnd(authority: CertificateAuthority): Promise<TlsEnd> {
  await authority.secureContext('localhost') // a fault of the authority is thrown here, not in a handshake
  return {
    accept(raw, onSecure) {
      void authority.secureContext('localhost').then(
        (secureContext) => handshake(raw, secureContext, authority, onSecure),
        () => raw.destroy(),
      )
    },
  }
}

function handshake(
  raw: Duplex,
  secureContext: SecureContext,
  authority: CertificateAuthority,
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
    ALPNCallback: ({ protocols }) => ['h2', 'http/1.1'].find((protocol) => protocols.includes(protocol)),
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
