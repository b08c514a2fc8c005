import http2, { type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { grpcMessage } from './nginx.ts'

/** Answers every gRPC call with `hello`. */
const message = grpcMessage('hello')
const server = http2.createServer()
server.on('stream', (given) => {
  const stream = given as ServerHttp2Stream
  stream.resume()
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' })).on('error', () => {})
  stream.end(message)
})
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`))
