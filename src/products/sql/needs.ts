import type { ProjectIds } from '../../api/project-ids.ts'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Postgres } from '../../postgres/postgres.ts'
import type { State } from '../../state/state.ts'

/** What Cloud SQL needs of others. The daemon passes it in. */
export interface CloudSqlNeeds {
  readonly state: State
  readonly clock: Clock
  readonly log: Log
  /** A project by id or number. */
  readonly project: (idOrNumber: string) => ProjectIds
  readonly postgres: Pick<Postgres, 'open' | 'reopen' | 'stop' | 'remove' | 'socketDirectory'>
}
