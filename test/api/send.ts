import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'

export interface SendOptions {
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly bytes: Buffer
  readonly text: string
  /** The body as JSON. */
  json(): Record<string, unknown>
}

/** A request to an endpoints port as it stands. @param target path and query */
export function send(port: number, method: string, target: string, { headers = {}, body }: SendOptions = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({ port, method, path: target, headers: { host: `localhost:${port}`, ...headers } }, async (incoming) => {
      const bytes = Buffer.concat(await incoming.toArray())
      const text = bytes.toString()
      resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, bytes, text, json: () => JSON.parse(text) as never })
    })
    outgoing.on('error', reject).end(body)
  })
}
