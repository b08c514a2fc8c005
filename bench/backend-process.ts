import net, { type AddressInfo, type Socket } from 'node:net'

/**
 * A server that does next to nothing: it answers `hello`, takes bodies of any length, and on `GET /bytes/N` sends N of them. A path that ends in
 * `?hold` makes it stop reading for 2 s in the middle of a request's body.
 */
const piece = Buffer.alloc(256 << 10, 'x')
const hello = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello'

const server = net.createServer({ noDelay: true }, (socket) => {
  let left = 0
  let holdAt = -1
  socket.on('error', () => socket.destroy())
  socket.on('data', (data: Buffer) => {
    if (left > 0) return body(data.length)
    const end = data.indexOf('\r\n\r\n') // a head comes in one piece from a proxy on the same machine
    const head = data.toString('latin1', 0, end)
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0)
    const size = /^GET \/bytes\/(\d+)/.exec(head)?.[1]
    if (size !== undefined) return send(socket, Number(size))
    if (length === 0) return void socket.write(hello)
    left = length
    holdAt = /^\S+ \S*\?hold /.test(head) ? length / 2 : -1
    body(data.length - end - 4)
  })
  const body = (count: number) => {
    left -= count
    if (left <= holdAt) {
      holdAt = -1
      socket.pause()
      setTimeout(() => socket.resume(), 2000)
    }
    if (left === 0) socket.write(hello)
  }
})
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`))

function send(socket: Socket, size: number): void {
  let left = size
  const more = () => {
    while (left > 0) {
      const next = left < piece.length ? piece.subarray(0, left) : piece
      left -= next.length
      if (!socket.write(next)) return void socket.once('drain', more)
    }
  }
  socket.write(`HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: ${size}\r\n\r\n`)
  more()
}
