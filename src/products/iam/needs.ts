import type { Borders } from '../../api/borders.ts'
import type { ProjectIds } from '../../api/project-ids.ts'
import type { Clock } from '../../base/clock.ts'
import type { Tokens } from '../../metadata/tokens.ts'
import type { State } from '../../state/state.ts'

/** What IAM needs of others. The daemon passes it in. */
export interface IamNeeds {
  readonly state: State
  readonly clock: Clock
  readonly tokens: Tokens
  /** A project by id or number. */
  readonly project: (idOrNumber: string) => ProjectIds
  /** Between the identities of one project and what others have. */
  readonly borders: () => Borders
  /** Writes another word for a member in policies that are kept elsewhere: those of buckets. */
  readonly replaceMember?: (member: string, next: string) => Promise<void>
  /** The APIs that devcloud answers for: names in Service Usage, with their titles. */
  readonly apis: Readonly<Record<string, string>>
  /** The projects there are; without it, listing them is UNIMPLEMENTED. */
  readonly projects?: () => readonly ProjectIds[]
}
