import net from 'node:net'

const piece = Buffer.alloc(256 << 10, 'y')
const host = 'bench.localhost'

/** Sends a body of `size` bytes through a proxy; answers the seconds until the answer came. @param hold the backend stops reading for 2 s midway */
export function sendBody(port: number, size: number, hold = false): Promise<number> {
  const head = `POST /${hold ? '?hold' : ''} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/octet-stream\r\nContent-Length: ${size}\r\n\r\n`
  return timed(port, head, (socket, done) => {
    let left = size
    const more = () => {
      while (left > 0) {
        const next = left < piece.length ? piece.subarray(0, left) : piece
        left -= next.length
        if (!socket.write(next)) return
      }
    }
    socket.on('drain', more)
    socket.on('data', (data) => {
      if (left === 0 && data.toString('latin1').includes('hello')) done()
    })
    more()
  })
}

/** Asks for a body of `size` bytes; answers the seconds until its last byte. @param hold we stop reading for 2 s midway */
export function receiveBody(port: number, size: number, hold = false): Promise<number> {
  return timed(port, `GET /bytes/${size} HTTP/1.1\r\nHost: ${host}\r\n\r\n`, (socket, done) => {
    let received = 0
    let headBytes = 0
    let isHeld = hold
    socket.on('data', (data) => {
      if (headBytes === 0) headBytes = data.indexOf('\r\n\r\n') + 4 // a proxy writes its head in one piece
      received += data.length
      if (isHeld && received > size / 2) {
        isHeld = false
        socket.pause()
        setTimeout(() => socket.resume(), 2000)
      }
      if (received - headBytes === size) done()
    })
  })
}

function timed(port: number, head: string, talk: (socket: net.Socket, done: () => void) => void): Promise<number> {
  return new Promise((resolve, reject) => {
    const began = performance.now()
    let isDone = false
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true }, () => {
      socket.write(head)
      talk(socket, () => {
        isDone = true
        socket.destroy()
        resolve((performance.now() - began) / 1000)
      })
    })
    socket.once('error', reject)
    socket.once('close', () => {
      if (!isDone) reject(new Error(`Port ${port} closed the connection before the body was over.`))
    })
  })
}
