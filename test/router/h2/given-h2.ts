import http2, { type ClientHttp2Session, type IncomingHttpHeaders, type IncomingHttpStatusHeader, type ServerHttp2Stream } from 'node:http2'
import net, { type AddressInfo } from 'node:net'
import tls from 'node:tls'

/** A client of the router on `port` that asks for `host`, with prior knowledge or, given the authority's certificate, over TLS. */
export function givenH2Client(port: number, options: { readonly ca?: string; readonly host?: string } = {}) {
  const { ca, host = 'app.localhost' } = options
  const session = http2.connect(`${ca === undefined ? 'http' : 'https'}://${host}:${port}`, {
    maxSessionMemory: 200, // MB: what waits to be sent counts
    createConnection: () =>
      ca === undefined
        ? net.connect(port, '127.0.0.1')
        : tls.connect({ port, host: '127.0.0.1', servername: host, ca, ALPNProtocols: ['h2', 'http/1.1'] }),
  })
  session.on('error', () => {})
  return Object.assign(session, { [Symbol.dispose]: () => session.destroy() })
}

export interface H2Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders & IncomingHttpStatusHeader
  readonly body: string
  readonly rstCode: number
}

/** One request with a small answer. */
export async function ask(session: ClientHttp2Session, headers: http2.OutgoingHttpHeaders = {}, body?: string | Buffer): Promise<H2Answer> {
  const stream = session.request({ ':path': '/', ...headers }, { endStream: body === undefined })
  if (body !== undefined) stream.end(body)
  let answer: H2Answer['headers'] = {}
  let text = ''
  stream.on('error', () => {})
  stream.on('response', (given) => (answer = given))
  stream.setEncoding('utf8').on('data', (piece: string) => (text += piece))
  await new Promise<void>((resolve) => void stream.on('close', resolve))
  return { status: Number(answer[':status']), headers: answer, body: text, rstCode: stream.rstCode ?? 0 }
}

/** An application on cleartext HTTP/2. */
export async function givenH2App(onStream: (stream: ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => void) {
  const server = http2.createServer()
  const sessions = new Set<http2.ServerHttp2Session>()
  server.on('session', (session) => void sessions.add(session).size)
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {})
    onStream(stream as ServerHttp2Stream, headers)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    sessions,
    async [Symbol.asyncDispose]() {
      for (const session of sessions) session.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
