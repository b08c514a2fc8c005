import { join } from 'node:path'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { matchesHost } from '../api/routes.ts'
import { createApiServer } from '../api/serve.ts'
import { localUser } from '../api/caller.ts'
import { controlSocketPath } from '../base/paths.ts'
import { openGateway } from '../gateway/gateway.ts'
import { writeLeads } from '../gateway/write-leads.ts'
import { metadataServer } from '../metadata/metadata-server.ts'
import { controlActions } from './actions.ts'
import { admitVisitors } from './admit-visitor.ts'
import { adopt } from './adopt.ts'
import { openCatalog, type MoreProduct } from './catalog.ts'
import { openControl } from './control.ts'
import { openFoundation } from './foundation.ts'
import { resourceKinds } from './fsck/resource-kinds.ts'
import { openGoogleApi } from '../api/google-api.ts'
import type { House } from './house.ts'
import { openIdentities } from './identities.ts'
import { openMachineToken } from './machine-token.ts'
import { openOwnerCheck, type OwnerCheck } from './owner-check.ts'
import { rememberedPort } from './remembered-port.ts'
import { surroundingsOf } from './surroundings.ts'

export interface DaemonOptions {
  readonly stateDirectory: string
  /** The router's. */
  readonly port: number | 'preferred'
  /** Names of the products that answer; all when it is absent. */
  readonly products?: readonly string[]
  /** Products beside those of the catalog. */
  readonly more?: readonly MoreProduct[]
  /** Called when a client asks the daemon to end. */
  readonly onShutdown: () => void
  /** Tells whose connections of this machine are. Default: by the kernel. */
  readonly ownerCheck?: OwnerCheck
}

/** A house that is open: what is in it can be asked from inside the same process, as tests do. */
export interface Daemon extends AsyncDisposable {
  readonly house: House
}

/**
 * Opens the daemon; disposed, it leaves what runs to the next one.
 * @throws CloudError STATE_LOCKED when another one has the state directory, and what else keeps it from starting
 */
export async function openDaemon(options: DaemonOptions): Promise<Daemon> {
  await using opened = new AsyncDisposableStack()
  let gatewayPort = 0
  const { ownerCheck = openOwnerCheck() } = options
  const foundation = opened.use(await openFoundation({ ...options, kinds: resourceKinds, gatewayPort: () => gatewayPort }))
  const { state, log, projects, tokens, authority, engines, router, clock } = foundation
  const machineToken = openMachineToken(options.stateDirectory)
  const identities = opened.use(
    openIdentities({
      state,
      handler: metadataServer({ tokens, project: (id) => projects.get(id), log, clock }),
      ownerCheck,
      enginesOf: () => engines.opened(),
      defaultAccount: (project) => `${projects.get(project).number}-compute@developer.gserviceaccount.com`,
    }),
  )
  await identities.reopen()
  const leads = writeLeads(join(foundation.stateDirectory, 'leads'))
  const surroundings = surroundingsOf({
    authority,
    gatewayPort: () => gatewayPort,
    leads,
    tunnelToken: machineToken.tunnelValue,
    identities,
    projects,
  })
  const catalog = await openCatalog(foundation, surroundings, options.more)
  for (const product of catalog.all) opened.use(product)
  const served = catalog.all.filter(({ name }) => options.products?.includes(name) ?? true)
  const app = await createApiServer({ products: served, tokens, borders: catalog.borders, log, adding: (call) => state.adding(call) })
  opened.defer(async () => void (await app.close()))
  const hosts = served.flatMap((product) => product.hosts)
  const gateway = opened.use(
    await rememberedPort(state, 'gateway', (port) =>
      openGateway({
        handler: admitVisitors(app.routing as unknown as Handler, ownerCheck, machineToken),
        authority,
        hosts: (host) => hosts.some((pattern) => matchesHost(pattern, host)),
        socketPath: foundation.gatewaySocket,
        port,
        onFull: (most) => log.warn({ most }, 'the endpoints take no more connections for now: they have as many as they may'),
        metadataHandler: (request, response, source) => void identities.answer(request, response, source),
        mayTunnel: ({ host, port }, headers) => (isOfHouse(host) && port === router.port) || machineToken.allowsTunnel(headers),
        onRouter: (socket, tls, ip) => router.accept(socket as Socket, tls ? 'https' : 'http', ip),
      }),
    ),
  )
  gatewayPort = gateway.port
  const api = openGoogleApi(app, () => tokens.accessToken(localUser.email).token)
  const house: House = {
    foundation,
    catalog,
    gateway,
    machineToken,
    ownerCheck,
    api,
    startedMs: clock.nowMs(),
    identities,
    leads,
  }
  for (const product of catalog.all) await product.startAll?.()
  const ending = new AbortController()
  opened.defer(() => ending.abort())
  await adopt(house, ending.signal)
  opened.use(await openControl(controlSocketPath(options.stateDirectory), controlActions(house, options.onShutdown)))
  const all = opened.move()
  return { house, [Symbol.asyncDispose]: () => all.disposeAsync() }
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void

function isOfHouse(host: string): boolean {
  return host === 'localhost' || host === '127.0.0.1' || host === '::1'
}
