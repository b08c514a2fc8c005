import http from 'node:http'
import type { AddressInfo } from 'node:net'

// `node node-proxy-process.ts BACKEND_PORT`: the proxy that one writes with node:http alone.
const port = Number(process.argv[2])
const agent = new http.Agent({ keepAlive: true, maxSockets: 256, maxFreeSockets: 256 })
const server = http.createServer((request, response) => {
  const headers = { ...request.headers, 'x-forwarded-for': request.socket.remoteAddress, 'x-forwarded-proto': 'https' }
  const forwarded = http.request({ host: '127.0.0.1', port, method: request.method, path: request.url, headers, agent }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers)
    answer.pipe(response)
  })
  forwarded.once('error', () => response.headersSent || response.writeHead(502).end())
  request.pipe(forwarded)
})
server.requestTimeout = 0
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`))
