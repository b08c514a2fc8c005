import net from 'node:net'

/** Whether something listens at `address`. Makes a connection and closes the connection at once. */
export function takesConnections(address: { readonly host: string; readonly port: number }, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ ...address, timeout: timeoutMs })
    const settle = (takes: boolean) => {
      socket.destroy()
      resolve(takes)
    }
    socket.once('connect', () => settle(true))
    socket.once('error', () => settle(false))
    socket.once('timeout', () => settle(false))
  })
}
