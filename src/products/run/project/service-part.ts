import type { Place } from '../../../config/place.ts'
import type { WantedService } from './wanted-run.ts'

/** What one file says of a service; what it does not say is absent, and another file or a default says it. */
export interface ServicePart
  extends Pick<WantedService, 'id' | 'from' | 'env'>, Partial<Omit<WantedService, 'id' | 'from' | 'env' | 'source' | 'cloudSqlInstances'>> {
  /** The folder it is built from, relative to the project's, `.` for itself. */
  readonly dir: string
  /** Within `dir`. */
  readonly dockerfile?: string
  /** True when `image` is to run even where a folder could be built. */
  readonly isReady?: boolean
  /** Ids or connection names, each with its place, not yet compared with what is declared. */
  readonly instances?: readonly { readonly name: string; readonly place: Place }[]
}

/** `over` where it says something, else `under`; environment variables one by one. */
export function mergeParts(under: ServicePart | undefined, over: ServicePart): ServicePart {
  return { ...under, ...over, env: { ...under?.env, ...over.env } }
}
