import net from 'node:net'
import { join } from 'node:path'
import { openOperations, type Operations } from '../api/operations.ts'
import { systemClock, type Clock } from '../base/clock.ts'
import { CloudError } from '../base/cloud-error.ts'
import { openLog, type Log } from '../base/log.ts'
import { portOwner } from '../base/owners.ts'
import { daemonLogPath, socketPath } from '../base/paths.ts'
import { openCertificateAuthority, type CertificateAuthority } from '../gateway/certificate-authority.ts'
import { openTlsEnd } from '../gateway/tls-end.ts'
import { openTokens, type Tokens } from '../metadata/tokens.ts'
import { openPostgres, type Postgres } from '../postgres/postgres.ts'
import type { PublicOrigin } from '../router/public-origins.ts'
import { openRouter } from '../router/router.ts'
import type { Router } from '../router/upstream.ts'
import { keepBackups } from '../state/keep-backups.ts'
import type { ResourceKind } from '../state/resource-kind.ts'
import { openState, type State } from '../state/state.ts'
import { openContainerLog, type ContainerLog } from '../telemetry/container-log.ts'
import { openRequestLog, type RequestLog } from '../telemetry/request-log.ts'
import { openEngines, type Engines } from './engines.ts'
import { rememberedPort } from './remembered-port.ts'
import { setAsideUnreadable } from './fsck/check-rows.ts'
import { openProjects, type Projects } from './projects.ts'
import { schema } from './schema.ts'

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
  readonly containerLog: ContainerLog
  readonly gatewaySocket: string
}

export interface FoundationOptions {
  readonly stateDirectory: string
  /** The router's. */
  readonly port: number | 'preferred'
  /** Of all rooms: rows of theirs that cannot be read are set aside. */
  readonly kinds: readonly ResourceKind<unknown>[]
  /** 0 until there is one. */
  readonly gatewayPort: () => number
}

/** @throws CloudError PORT_TAKEN, and those of `openState` */
export async function openFoundation({ stateDirectory, port, kinds, gatewayPort }: FoundationOptions): Promise<Foundation> {
  await using opened = new AsyncDisposableStack()
  const state = opened.use(openState(stateDirectory, schema))
  const log = openLog(daemonLogPath(stateDirectory))
  state.disk.onFault((fault) => log.error({ err: fault }, 'disk fault'))
  state.disk.holdBallast()
  for (const { kind, name, why } of await state.write((db) => setAsideUnreadable(db, kinds)))
    log.error({ kind, name, why }, 'a row cannot be read and is set aside')
  const clock = systemClock
  opened.use(keepBackups(state, clock, log))
  const projects = openProjects(state)
  const [tokens, authority, operations] = await Promise.all([
    openTokens({ state, clock }),
    openCertificateAuthority(join(stateDirectory, 'ca')),
    openOperations(state),
  ])
  const requests = opened.use(openRequestLog(state))
  const containerLog = opened.use(openContainerLog(state))
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
  const tlsEnd = await openTlsEnd(authority)
  const open = (wanted: number | 'preferred') =>
    openRouter({
      port: wanted,
      clock,
      tlsEnd,
      onRequest: (record) => requests.add(record),
      publicOrigins: () => storageOrigins(gatewayPort()),
      onFull: (most) => log.warn({ most }, 'the router takes no more connections for now: it has as many as it may'),
    })
  const isFixed = typeof port === 'number' && port !== 0
  const router = opened.use(
    isFixed ? await open(port).catch(portTaken(port)) : await rememberedPort(state, 'router', (last) => open(last || port)),
  )
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
    containerLog,
    gatewaySocket,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

/** Says who holds the port, and which one is free (F14). */
function portTaken(port: number): (error: unknown) => Promise<never> {
  return async (error) => {
    if (!(error instanceof CloudError) || error.fault !== 'PORT_TAKEN') throw error
    const owner = portOwner(port)
    throw new CloudError(error.code, error.message, `Stop what holds it, or: DEVCLOUD_PORT=${await freePortAbove(port)} devcloud up`, {
      cause: error,
      fault: error.fault,
      evidence: [owner === undefined ? 'held by a process of somebody else' : `held by ${owner}`],
    })
  }
}

async function freePortAbove(port: number): Promise<number> {
  for (let next = port + 1; next <= 65_535; next += 1) {
    const server = net.createServer()
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false)).listen(next, '127.0.0.1', () => server.close(() => resolve(true)))
    })
    if (isFree) return next
  }
  return 0
}

/** Public objects in an application's pages, for a browser that knows the gateway by its port alone. Ports of 5 digits make both equally long. */
function storageOrigins(port: number): readonly PublicOrigin[] {
  const origin = { from: 'https://storage.googleapis.com', to: `http://storage.localhost:${port}` }
  return origin.from.length === origin.to.length ? [origin] : []
}
