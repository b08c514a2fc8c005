import { rmSync } from 'node:fs'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { projectSocketFolder } from '../base/paths.ts'
import { isPlainName } from '../base/plain-name.ts'
import { openConnections } from './connections.ts'
import type { GatewayOptions } from './gateway-options.ts'
import { listenOnLoopback, listenOnSocket, type Listening } from './listen.ts'

/** The gateway answers applications and tools that call Google's names. */
export interface Gateway extends AsyncDisposable {
  /** The port on 127.0.0.1 and ::1 for the CONNECT proxy and the plain endpoints of every product. */
  readonly port: number
  /** The socket for forwarders that name the project in their first line. */
  readonly socketPath: string
  /** Opens a socket whose connections all belong to `project`, in a folder of its own that a container may mount. Idempotent. */
  listenForProject(project: string): Promise<string>
  /** Closes the socket of `project`, and removes its folder. */
  removeProject(project: string): Promise<void>
}

/** @throws CloudError PORT_TAKEN when `port` is in use */
export async function openGateway(options: GatewayOptions): Promise<Gateway> {
  const connections = await openConnections(options)
  const sockets = new Set<Socket>()
  const keep = (accept: (socket: Socket) => void) => (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy()).once('close', () => sockets.delete(socket))
    socket.setNoDelay(true)
    accept(socket)
  }
  await using opened = new AsyncDisposableStack()
  const loopback = opened.use(
    await listenOnLoopback(
      options.port,
      keep((socket) => connections.acceptLocal(socket)),
      options.onFull,
    ),
  )
  opened.use(
    await listenOnSocket(
      options.socketPath,
      keep((socket) => connections.acceptForwarded(socket, undefined)),
    ),
  )
  const projects = new Map<string, Promise<Listening>>()
  const listening = opened.move()
  return {
    port: loopback.port,
    socketPath: options.socketPath,
    async listenForProject(project) {
      const path = join(projectSocketFolder(options.socketPath, project), 'gateway.sock')
      const known =
        projects.get(project) ??
        listenOnSocket(
          path,
          keep((socket) => connections.acceptForwarded(socket, project)),
        )
      projects.set(project, known)
      await known.catch(() => projects.delete(project))
      await known
      return path
    },
    async removeProject(project) {
      const known = await projects.get(project)?.catch(() => undefined)
      projects.delete(project)
      await known?.[Symbol.asyncDispose]()
      if (isPlainName(project)) rmSync(projectSocketFolder(options.socketPath, project), { recursive: true, force: true })
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      connections[Symbol.dispose]()
      for (const server of projects.values()) await (await server.catch(() => undefined))?.[Symbol.asyncDispose]()
      await listening.disposeAsync()
    },
  }
}
