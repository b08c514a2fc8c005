import type { Log } from '../base/log.ts'
import type { Engine } from '../engine/engine.ts'

export interface PostgresOptions {
  readonly stateDirectory: string
  /** The engine in whose containers a project's servers run. Undefined for a project without containers. @throws CloudError DOCKER_UNREACHABLE */
  readonly containersFor?: (project: string) => Promise<Engine | undefined>
  /** The project's folder. A compose/postgres.yaml there replaces devcloud's. Undefined for a project without a folder. */
  readonly directoryOf?: (project: string) => string | undefined
  /** With a log, a server that ends by itself is started again, and the log says so. Without a log, nobody starts it again. */
  readonly log?: Log
}
