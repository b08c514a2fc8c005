import { join } from 'node:path'
import { openOperations, type Operations } from '../api/operations.ts'
import { systemClock, type Clock } from '../base/clock.ts'
import { openLog, type Log } from '../base/log.ts'
import { socketPath } from '../base/paths.ts'
import { openCertificateAuthority, type CertificateAuthority } from '../gateway/certificate-authority.ts'
import { openTokens, type Tokens } from '../metadata/tokens.ts'
import { openPostgres, type Postgres } from '../postgres/postgres.ts'
import type { PublicOrigin } from '../router/public-origins.ts'
import { openRouter } from '../router/router.ts'
import type { Router } from '../router/upstream.ts'
import { openState, type State } from '../state/state.ts'
import { openRequestLog, type RequestLog } from '../telemetry/request-log.ts'
import { openEngines, type Engines } from './engines.ts'
import { rememberedPort } from './remembered-port.ts'
import { openProjects, type Projects } from './projects.ts'

/** What the products stand on. */
export interface Foundation extends AsyncDisposable {
  readonly stateDirectory: string
  readonly state: State
  readonly clock: Clock
  readonly log: Log
  readonly projects: Projects
  readonly tokens: Tokens
  readonly authority: CertificateAuthority
  readonly operations: Operations
  readonly postgres: Postgres
  readonly engines: Engines
  readonly router: Router
  readonly requests: RequestLog
  readonly gatewaySocket: string
}

export interface FoundationOptions {
  readonly stateDirectory: string
  /** The router's. */
  readonly port: number | 'preferred'
  /** 0 until there is one. */
  readonly gatewayPort: () => number
}

/** @throws CloudError STATE_LOCKED, STATE_UNUSABLE, PORT_TAKEN */
export async function openFoundation({ stateDirectory, port, gatewayPort }: FoundationOptions): Promise<Foundation> {
  await using opened = new AsyncDisposableStack()
  const state = opened.use(openState(stateDirectory))
  const log = openLog(join(stateDirectory, 'daemon.log'))
  const clock = systemClock
  const projects = openProjects(state)
  const [tokens, authority, operations] = await Promise.all([
    openTokens({ state, clock }),
    openCertificateAuthority(join(stateDirectory, 'ca')),
    openOperations(state),
  ])
  const requests = opened.use(openRequestLog(state))
  const gatewaySocket = socketPath(stateDirectory, 'gateway.sock')
  const engines = opened.use(openEngines({ stateDirectory, log, projects, gatewaySocket }))
  const postgres = opened.use(
    openPostgres({
      stateDirectory,
      log,
      containersFor: async (id) => (projects.get(id).engine === 'docker' ? engines.choose('docker') : undefined),
      directoryOf: (id) => projects.get(id).directory,
    }),
  )
  const open = (wanted: number | 'preferred') =>
    openRouter({
      port: wanted,
      clock,
      log,
      certificateFor: (host) => authority.secureContext(host),
      onRequest: (record) => requests.add(record),
      publicOrigins: () => storageOrigins(gatewayPort()),
    })
  const isFixed = typeof port === 'number' && port !== 0
  const router = opened.use(isFixed ? await open(port) : await rememberedPort(state, 'router', (last) => open(last || port)))
  const resources = opened.move()
  return {
    stateDirectory,
    state,
    clock,
    log,
    projects,
    tokens,
    authority,
    operations,
    postgres,
    engines,
    router,
    requests,
    gatewaySocket,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

/** Public objects in an application's pages, for a browser that knows the gateway by its port alone. Ports of 5 digits make both equally long. */
function storageOrigins(port: number): readonly PublicOrigin[] {
  const origin = { from: 'https://storage.googleapis.com', to: `http://storage.localhost:${port}` }
  return origin.from.length === origin.to.length ? [origin] : []
}
