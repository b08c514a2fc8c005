import http from 'node:http'

if (process.env.BREAK !== undefined) {
  process.stderr.write('Set SECRET_KEY first\n')
  process.exit(1)
}

const server = http.createServer(async (request, response) => {
  process.stdout.write(`asked for ${request.url}\n`)
  if (request.url === '/moved') return response.writeHead(302, { location: `https://${request.headers.host}/there` }).end()
  if (request.url === '/events') {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('data: first\n\n')
    return request.socket.once('close', () => response.end())
  }
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  const { K_SERVICE: service, K_REVISION: revision, GREETING: greeting } = process.env
  const { method, url, headers } = request
  response.end(JSON.stringify({ service, revision, greeting, method, url, headers, body: Buffer.concat(chunks).toString() }))
})
server.on('upgrade', (request, socket) => {
  socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
  socket.pipe(socket)
})
server.listen(Number(process.env.PORT))
