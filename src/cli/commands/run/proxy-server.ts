import http, { STATUS_CODES, type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from 'node:http'
import { pipeline } from 'node:stream'
import type { Socket } from 'node:net'
import type { OwnerCheck } from '../../../daemon/owner-check.ts'
import { refusalOf } from './proxy-guard.ts'

export interface ProxyTarget {
  /** Of this machine's router. */
  readonly port: number
  /** What the service is asked as: `canary---hello.localhost:8480`. */
  readonly host: string
  /** Every origin that the service calls itself by; a redirect to one of them stays with the proxy. */
  readonly origins: readonly string[]
  /** The identity token of now. */
  readonly token: () => Promise<string>
  readonly ownerCheck: OwnerCheck
}

/**
 * Passes requests to a service in the caller's name, as Google's cloud-run-proxy does: Host, X-Serverless-Authorization, Location. Bodies are
 * streamed both ways; upgraded connections become a pipe.
 */
export function createProxy(target: ProxyTarget): http.Server {
  const agent = new http.Agent({ keepAlive: true })
  const server = http.createServer((request, response) => void forward(target, agent, request, response))
  server.requestTimeout = 0 // a stream may take as long as the service lets it
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => void upgrade(target, request, socket, head))
  return server.once('close', () => agent.destroy())
}

async function forward(target: ProxyTarget, agent: http.Agent, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const refusal = await refusalOf(request, target.ownerCheck)
    if (refusal !== undefined) {
      response.writeHead(refusal.status, { 'content-type': 'text/plain', connection: 'close' }).end(`${refusal.words}\n`)
      return
    }
    const { method, url: path } = request
    const headers = await headersFor(target, request)
    const asked = http.request({ host: '127.0.0.1', port: target.port, method, path, headers, agent })
    response.once('close', () => asked.destroy()) // the client went away
    asked.once('error', (error) => fail(response, error))
    asked.once('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.statusMessage, answerHeaders(target, answer, request.headers.host))
      response.flushHeaders()
      pipeline(answer, response, () => {})
    })
    pipeline(request, asked, () => {})
  } catch (error) {
    fail(response, error)
  }
}

async function upgrade(target: ProxyTarget, request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
  socket.on('error', () => {})
  const refusal = await refusalOf(request, target.ownerCheck)
  if (refusal !== undefined)
    return void socket.end(`HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}\r\nConnection: close\r\n\r\n`)
  const { method, url: path } = request
  const headers = await headersFor(target, request).catch(() => undefined)
  if (headers === undefined) return void socket.end('HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\n\r\n')
  const upgraded = { ...headers, connection: 'Upgrade', upgrade: request.headers.upgrade }
  const asked = http.request({ host: '127.0.0.1', port: target.port, method, path, headers: upgraded, agent: false })
  socket.once('close', () => asked.destroy())
  asked.once('error', () => socket.end('HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\n\r\n'))
  asked.once('response', (answer) => {
    socket.write(headText(answer, { ...answerHeaders(target, answer, request.headers.host), connection: 'close' }))
    pipeline(answer, socket, () => {})
  })
  asked.once('upgrade', (answer, other: Socket, rest: Buffer) => {
    other.on('error', () => {})
    socket.write(headText(answer, { ...answer.headers }))
    if (rest.length > 0) socket.write(rest)
    if (head.length > 0) other.write(head)
    pipeline(socket, other, () => {})
    pipeline(other, socket, () => {})
  })
  asked.end()
}

/** RFC 9110, 7.6.1: they are about one connection. */
const hopByHop = new Set(['connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'proxy-connection', 'te', 'transfer-encoding', 'upgrade']) // prettier-ignore

async function headersFor({ host, token }: ProxyTarget, request: IncomingMessage): Promise<OutgoingHttpHeaders> {
  const kept: OutgoingHttpHeaders = {}
  for (const [name, values] of Object.entries(request.headersDistinct)) if (!hopByHop.has(name)) kept[name] = values
  if (request.headers['transfer-encoding'] !== undefined) kept['transfer-encoding'] = 'chunked'
  return { ...kept, host, 'x-serverless-authorization': `Bearer ${await token()}` }
}

function answerHeaders({ origins }: ProxyTarget, answer: IncomingMessage, here: string | undefined): OutgoingHttpHeaders {
  const kept: OutgoingHttpHeaders = {}
  for (const [name, values] of Object.entries(answer.headersDistinct)) if (!hopByHop.has(name)) kept[name] = values
  const { location } = answer.headers
  const origin = location === undefined ? undefined : origins.find((one) => location === one || location.startsWith(`${one}/`))
  return location === undefined || origin === undefined ? kept : { ...kept, location: `http://${here}${location.slice(origin.length)}` }
}

function headText(answer: IncomingMessage, headers: OutgoingHttpHeaders): string {
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((one) => `${name}: ${one}\r\n`),
  )
  return `HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}\r\n${lines.join('')}\r\n`
}

function fail(response: ServerResponse, error: unknown): void {
  if (response.headersSent) return void response.destroy()
  response.writeHead(502, { 'content-type': 'text/plain' }).end(`devcloud cannot reach the service: ${String(error)}\n`)
}
