import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { startCloud, type Cloud } from '../../src/fixture/start-cloud.ts'

export interface GivenCloud extends AsyncDisposable {
  readonly cloud: Cloud
  /** A request to the endpoints port as it stands. @param target path and query */
  send(method: string, target: string, options?: SendOptions): Promise<Answer>
}

export interface SendOptions {
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** Every product behind one endpoints port. */
export async function givenCloud(): Promise<GivenCloud> {
  const cloud = await startCloud()
  return {
    cloud,
    send: (method, target, options = {}) => send(cloud.endpoint, method, target, options),
    [Symbol.asyncDispose]: () => cloud[Symbol.asyncDispose](),
  }
}

function send(endpoint: string, method: string, path: string, { headers = {}, body }: SendOptions): Promise<Answer> {
  const { hostname, port, host } = new URL(endpoint)
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({ host: hostname, port, method, path, headers: { host, ...headers } }, async (incoming) => {
      const bytes = Buffer.concat(await incoming.toArray())
      resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text: bytes.toString() })
    })
    outgoing.on('error', reject).end(body)
  })
}
