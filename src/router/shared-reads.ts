import net from 'node:net'

const readBytes = 65_536
const shared = Buffer.allocUnsafeSlow(readBytes)

/**
 * For `onread` of a socket: all such sockets read into one buffer. Without it Node makes 64 KiB for each read, and cuts them down to what came.
 * What `onRead` is given is overwritten by the next read of any of them: what is held, or written to another socket, is `kept` before. A connection
 * that fills the buffer carries a long body: it gets a buffer of its own for its next read.
 */
export function sharedReads(onRead: (data: Buffer) => void): net.OnReadOpts {
  let fills = false
  return {
    buffer: () => (fills ? Buffer.allocUnsafeSlow(readBytes) : shared),
    callback(length, buffer) {
      fills = length === readBytes
      onRead(Buffer.from(buffer.buffer, buffer.byteOffset, length))
      return true
    },
  }
}

/** The same bytes, for longer than the read that they came by. */
export function kept(data: Buffer): Buffer {
  return data.buffer === shared.buffer ? Buffer.from(data) : data
}

/** What net.Server gives its sockets, which Node does not document. */
interface ServerSocket {
  _handle: object | null
  _server: object | null
}

/**
 * The same connection as another socket, whose reads are shared. Node has `onread` for sockets that a program makes, and none for those of a
 * server: the handle and the place among the server's connections move. Nothing may be read or written on `socket` any more.
 * @returns `socket` itself, which tells what it reads by 'data', when it is closed or has no handle to move
 */
export function withSharedReads(socket: net.Socket, onRead: (data: Buffer) => void): net.Socket {
  const from = socket as unknown as ServerSocket
  const { _handle: handle, _server: server } = from
  if (socket.destroyed || !isObject(handle) || !isObject(server)) return socket
  from._handle = null
  from._server = null
  const options = { handle, allowHalfOpen: true, onread: sharedReads(onRead) } as net.SocketConstructorOpts
  const moved = new net.Socket(options)
  ;(moved as unknown as ServerSocket)._server = server
  return moved
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
