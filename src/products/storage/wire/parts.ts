import type { Caller } from '../../../api/caller.ts'
import type { ProjectIds } from '../../../api/project-ids.ts'
import type { Asker } from '../access.ts'
import type { Log } from '../../../base/log.ts'
import type { Clock } from '../../../base/clock.ts'
import type { ObjectStore } from '../../../objects/object-store.ts'
import type { Buckets } from '../buckets.ts'
import type { Objects } from '../objects.ts'
import type { SigningKeys } from './signed-url.ts'

/** What every wire stands on. */
export interface Parts {
  readonly store: ObjectStore
  readonly buckets: Buckets
  readonly objects: Objects
  readonly clock: Clock
  readonly log: Log
  readonly signingKeys: SigningKeys
  /** Who asks, as far as access to buckets depends on it. */
  readonly asker: (caller: Caller | undefined) => Asker
  readonly project: (idOrNumber: string) => ProjectIds
}
