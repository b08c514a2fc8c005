import { mkdtempSync } from 'node:fs'
import http from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Answers a call in Docker's place, or lets it pass by `false`. */
type Fault = (request: http.IncomingMessage, response: http.ServerResponse) => boolean

/** A way to a Docker's socket on which a test may answer in its place, and which a test may cut. */
export interface GivenWay extends AsyncDisposable {
  /** For DOCKER_HOST. */
  readonly url: string
  readonly path: string
  /** Calls that came, `GET /containers/json`. */
  readonly seen: readonly string[]
  /** From now on `fault` sees each call first; undefined lets all pass again. */
  break(fault: Fault | undefined): void
  /** Ends all connections and takes no more, until `listen`. */
  cut(): Promise<void>
  listen(): Promise<void>
}

/** @param target the path of Docker's socket */
export async function givenWay(target = '/var/run/docker.sock'): Promise<GivenWay> {
  const path = join(mkdtempSync(join(tmpdir(), 'dc-way-')), 'd.sock')
  let fault: Fault | undefined
  const seen: string[] = []
  const server = http.createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`)
    if (fault?.(request, response) === true) return
    const { method, url = '', headers } = request
    const through = http.request({ socketPath: target, method, path: url, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers)
      response.flushHeaders()
      answer.pipe(response).on('error', () => {})
      answer.on('error', () => response.destroy())
    })
    through.on('error', () => response.destroy())
    response.on('close', () => through.destroy())
    request.pipe(through)
  })
  const listen = () => new Promise<void>((resolve) => server.listen(path, resolve))
  const cut = async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  await listen()
  return {
    path,
    url: `unix://${path}`,
    seen,
    break(next) {
      fault = next
    },
    cut,
    listen,
    [Symbol.asyncDispose]: cut,
  }
}
