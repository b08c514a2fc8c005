import { once } from 'node:events'
import net from 'node:net'

/** A client's connection by hand. */
export interface GivenSocket extends AsyncDisposable {
  readonly socket: net.Socket
  /** All that came so far, as latin1. */
  text(): string
  /** Until `pattern` came, or the connection is closed. */
  until(pattern: RegExp): Promise<string>
  closed(): Promise<string>
}

export async function givenSocket(port: number): Promise<GivenSocket> {
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  let text = ''
  socket.on('data', (data) => (text += data.toString('latin1')))
  socket.on('error', () => {})
  await once(socket, 'connect')
  const until = (pattern: RegExp) =>
    new Promise<string>((resolve) => {
      const look = () => {
        if (!pattern.test(text) && !socket.destroyed && !socket.readableEnded) return
        socket.off('data', look).off('close', look).off('end', look)
        resolve(text)
      }
      socket.on('data', look).on('close', look).on('end', look)
      look()
    })
  return {
    socket,
    text: () => text,
    until,
    closed: () => until(/(?!)/),
    async [Symbol.asyncDispose]() {
      socket.destroy()
    },
  }
}
