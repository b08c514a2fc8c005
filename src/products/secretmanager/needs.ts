import type { ProjectIds } from '../../api/project-ids.ts'
import type { Clock } from '../../base/clock.ts'
import type { State } from '../../state/state.ts'

/** What Secret Manager needs of others. The daemon passes it in. */
export interface SecretManagerNeeds {
  readonly state: State
  readonly clock: Clock
  /** A project by id or number. */
  readonly project: (idOrNumber: string) => ProjectIds
}
