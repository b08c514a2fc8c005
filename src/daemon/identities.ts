import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { projectOfEmail } from '../api/borders.ts'
import type { Engine } from '../engine/engine.ts'
import type { Source } from '../gateway/gateway-options.ts'
import { isMetadataHost, onlyHost } from '../gateway/hosts.ts'
import { isPage } from '../gateway/is-page.ts'
import type { MetadataHandler } from '../metadata/metadata-server.ts'
import type { MetadataIdentity } from '../metadata/metadata-tree.ts'
import { openCollection } from '../state/collection.ts'
import type { State } from '../state/state.ts'
import type { OwnerCheck } from './owner-check.ts'

/** Tells who asks the metadata server: a container by its address in its project's network, a process by the port that it was given. */
export interface Identities extends AsyncDisposable {
  /** The port on 127.0.0.1 of the metadata server of one service account; the same after a restart, since children keep it. */
  listen(project: string, email: string): Promise<number>
  /** The ports that an earlier daemon gave out answer again. */
  reopen(): Promise<void>
  /** Answers what came through the gateway. */
  answer(request: IncomingMessage, response: ServerResponse, source: Source): Promise<void>
  /** Closes the ports of a project's accounts, and forgets them. */
  removeProject(project: string): Promise<void>
}

/**
 * @param enginesOf the engines whose containers may ask
 * @param defaultAccount the account of whoever cannot be told apart
 */
export function openIdentities(options: {
  readonly state: State
  readonly handler: MetadataHandler
  readonly ownerCheck: OwnerCheck
  readonly enginesOf: () => Promise<readonly Engine[]>
  readonly defaultAccount: (project: string) => string
}): Identities {
  const { state, handler, ownerCheck, enginesOf, defaultAccount } = options
  const rows = openCollection(state, 'metadata.port')
  const servers = new Map<string, Promise<http.Server>>()
  const known = new Map<string, MetadataIdentity>()

  const open = async (key: string, project: string, email: string) => {
    const identity = { project, email, instanceId: instanceIdOf(key) }
    const server = http.createServer(async (request, response) => {
      if (!isOwnHost(request)) return refuse(response, 421, 'No host of that name is served here.')
      if (isPage(request.headers)) return refuse(response, 403, 'A page in a browser may not ask the metadata server.')
      // where nothing tells whose a connection is, there is nothing to ask by: metadata's clients can send no token (docs/security.md)
      if (await ownerCheck.isForeign(request.socket, request.socket))
        return refuse(response, 403, 'Only the user who runs devcloud may ask.')
      handler(request, response, identity)
    })
    const port = await listenOn(server, Number(rows.get(key) ?? 0))
    if (String(port) !== rows.get(key)) await rows.put(key, String(port))
    return server
  }
  const serverOf = (project: string, email: string) => {
    const key = `${project}/${email}`
    const found = servers.get(key) ?? open(key, project, email)
    servers.set(key, found)
    return found
  }
  return {
    listen: async (project, email) => portOf(await serverOf(project, email)),
    async reopen() {
      for (const { name } of rows.list('')) {
        const [project = '', email = ''] = name.split('/')
        await serverOf(project, email)
      }
    },
    async answer(request, response, { project, ip }) {
      if (project === undefined) return void response.writeHead(404).end()
      const key = `${project}/${ip}`
      const identity = known.get(key) ?? (await identify(await enginesOf(), project, ip))
      if (identity !== undefined) known.set(key, identity)
      // an address is given to the next container when its own ends: what is known is asked again soon
      setTimeout(() => known.delete(key), 2000).unref()
      handler(request, response, identity ?? { project, email: defaultAccount(project), instanceId: instanceIdOf(key) })
    },
    async removeProject(project) {
      const own = [...servers].filter(([key]) => key.startsWith(`${project}/`))
      for (const [key, server] of own) {
        servers.delete(key)
        await close(server)
      }
      await rows.deleteBelow(project)
    },
    async [Symbol.asyncDispose]() {
      for (const server of servers.values()) await close(server)
    },
  }
}

async function close(opening: Promise<http.Server>): Promise<void> {
  const server = await opening.catch(() => undefined)
  server?.closeAllConnections()
  server?.close()
}

async function identify(engines: readonly Engine[], project: string, ip: string): Promise<MetadataIdentity | undefined> {
  for (const engine of engines) {
    const containers = await engine.list(AbortSignal.timeout(5000))
    const found = containers.find((container) => container.project === project && container.ip === ip)
    const email = found?.serviceAccount
    // what an older devcloud started may have any text there: nobody but a service account is asked for
    if (found !== undefined && email !== undefined && projectOfEmail(email) !== undefined)
      return { project, email, instanceId: instanceIdOf(found.id) }
  }
  return undefined
}

/** Long hex, as Cloud Run's are. */
function instanceIdOf(id: string): string {
  return Buffer.from(id.padEnd(48, '0')).toString('hex').slice(0, 96)
}

/** One Host, and one of the names by which clients know this port or the metadata server (S1). */
function isOwnHost(request: IncomingMessage): boolean {
  const host = onlyHost(request)
  return host !== undefined && (host === 'localhost' || host === '127.0.0.1' || isMetadataHost(host))
}

function refuse(response: ServerResponse, status: number, words: string): void {
  response.writeHead(status, { 'content-type': 'text/plain', 'x-content-type-options': 'nosniff', connection: 'close' }).end(`${words}\n`)
}

/** The port wanted where it is free, else another one. */
function listenOn(server: http.Server, wanted: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      if (wanted === 0) reject(error)
      else resolve(listenOn(server, 0))
    })
    server.listen(wanted, '127.0.0.1', () => resolve(portOf(server)))
  })
}

function portOf(server: http.Server): number {
  return (server.address() as AddressInfo).port
}
