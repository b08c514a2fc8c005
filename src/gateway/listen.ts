import { chmodSync, mkdirSync, rmSync } from 'node:fs'
import net, { type AddressInfo, type Socket } from 'node:net'
import { dirname } from 'node:path'
import { CloudError, messageOf } from '../base/cloud-error.ts'
import { limitConnections } from '../base/limit-connections.ts'

export interface Listening extends AsyncDisposable {
  /** The port; 0 for a Unix socket. */
  readonly port: number
}

/**
 * Listens on 127.0.0.1, and on ::1 where this machine has it, on one port (S5).
 * @param onFull called when the limit of connections is reached
 * @throws CloudError PORT_TAKEN
 */
export async function listenOnLoopback(
  port: number,
  accept: (socket: Socket) => void,
  onFull: (most: number) => void = () => {},
): Promise<Listening> {
  const four = net.createServer(accept)
  await listen(four, { host: '127.0.0.1', port }).catch((error: unknown) => {
    throw new CloudError(
      'FAILED_PRECONDITION',
      `Port ${port} is taken: ${messageOf(error)}.`,
      'Stop the program that holds the port, then: devcloud daemon start',
      {
        cause: error,
        fault: 'PORT_TAKEN',
      },
    )
  })
  limitConnections(four, onFull)
  const taken = (four.address() as AddressInfo).port
  const six = net.createServer(accept)
  limitConnections(six, onFull)
  await listen(six, { host: '::1', port: taken, ipv6Only: true }).catch(() => {}) // 127.0.0.1 is enough where IPv6 is absent or its port is taken
  return {
    port: taken,
    async [Symbol.asyncDispose]() {
      await Promise.all([close(four), close(six)])
    },
  }
}

/** Listens on a Unix socket of mode 0600 in a folder of mode 0700. Removes the socket that an earlier daemon left at `path`: the caller holds the lock. */
export async function listenOnSocket(path: string, accept: (socket: Socket) => void): Promise<Listening> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  chmodSync(dirname(path), 0o700)
  rmSync(path, { force: true })
  const server = net.createServer(accept)
  await listen(server, { path })
  chmodSync(path, 0o600)
  return { port: 0, [Symbol.asyncDispose]: () => close(server) }
}

async function listen(server: net.Server, options: net.ListenOptions): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen(options, resolve)
  await promise
  server.off('error', reject).on('error', () => {}) // after EMFILE on accept, open connections go on
}

async function close(server: net.Server): Promise<void> {
  if (server.listening) await new Promise<void>((resolve) => server.close(() => resolve()))
}
