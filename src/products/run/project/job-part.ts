import type { Place } from '../../../config/place.ts'
import type { WantedJob } from './wanted-run.ts'
import type { ServicePart } from './service-part.ts'

/** What one file says of a job; what it does not say is absent, and another file or a default says it. */
export interface JobPart extends Omit<
  ServicePart,
  'dir' | 'port' | 'concurrency' | 'minInstances' | 'maxInstances' | 'timeoutSeconds' | 'before' | 'invoker' | 'idleSeconds'
> {
  /** The folder of the file that speaks of it, or the one to build. */
  readonly dir: string
  /** True when a folder or Dockerfile to build was written. */
  readonly isBuilt?: boolean
  readonly service?: { readonly id: string; readonly place: Place }
  readonly tasks?: number
  readonly parallelism?: number
  readonly maxRetries?: number
  readonly timeoutSeconds?: number
  readonly schedule?: WantedJob['schedule']
}

/** `over` where it says something, else `under`; environment variables one by one. */
export function mergeJobParts(under: JobPart | undefined, over: JobPart): JobPart {
  return { ...under, ...over, env: { ...under?.env, ...over.env } }
}
