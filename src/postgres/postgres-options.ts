import type { Log } from '../base/log.ts'
import type { Engine } from '../engine/engine.ts'

export interface PostgresOptions {
  readonly stateDirectory: string
  /** The engine whose containers a project's servers run in; undefined where it has none. @throws CloudError DOCKER_UNREACHABLE */
  readonly containersFor?: (project: string) => Promise<Engine | undefined>
  /** The project's own folder, whose compose/postgres.yaml wins over devcloud's; undefined where it has none. */
  readonly directoryOf?: (project: string) => string | undefined
  /** Given, a server that ends by itself is started again, and that is told here. */
  readonly log?: Log
}
