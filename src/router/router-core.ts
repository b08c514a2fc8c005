import type { LoggedRequest } from '../telemetry/logged-request.ts'
import type { H2Sessions } from './h2/h2-sessions.ts'
import type { LeftBehind } from './left-behind.ts'
import type { PublicOrigin } from './public-origins.ts'
import type { Routes } from './routes.ts'
import type { ConnectionPool } from './upstream-connection.ts'

/** What all connections of a router share. */
export interface RouterCore {
  readonly routes: Routes
  readonly connections: ConnectionPool
  readonly sessions: H2Sessions
  readonly publicOrigins: readonly PublicOrigin[]
  readonly nowMs: () => number
  readonly ticksMs: () => number
  readonly lot: () => number
  readonly onRequest: (record: LoggedRequest) => void
  /** With the ticks at which it is cut; looked after by the router's one timer. */
  readonly leftBehind: Map<LeftBehind, number>
}
