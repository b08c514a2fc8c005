import type { Place } from '../../../config/place.ts'
import type { WantedEnv, WantedService } from './wanted-run.ts'

/** What one file says of a service; what it does not say is absent, and another file or a default says it. */
export interface ServicePart extends Pick<
  WantedService,
  | 'manifest'
  | 'sidecars'
  | 'containerName'
  | 'dependsOn'
  | 'volumes'
  | 'volumeMounts'
  | 'protocol'
  | 'cpuIdle'
  | 'startupCpuBoost'
  | 'sessionAffinity'
> {
  readonly id: string
  readonly from: Place
  /** The folder it is built from, relative to the project's, `.` for itself. */
  readonly dir: string
  /** Within `dir`. */
  readonly dockerfile?: string
  readonly image?: string
  /** True when `image` is to run even where a folder could be built. */
  readonly isReady?: boolean
  readonly command?: readonly string[]
  readonly args?: readonly string[]
  readonly env: Readonly<Record<string, WantedEnv>>
  readonly port?: number
  readonly cpus?: number
  readonly memoryBytes?: number
  readonly concurrency?: number
  readonly minInstances?: number
  readonly maxInstances?: number
  readonly timeoutSeconds?: number
  readonly idleSeconds?: number
  /** Ids or connection names, each with its place, not yet compared with what is declared. */
  readonly instances?: readonly { readonly name: string; readonly place: Place }[]
  readonly secretVolumes?: WantedService['secretVolumes']
  readonly serviceAccount?: string
  readonly invoker?: WantedService['invoker']
  readonly probes?: NonNullable<WantedService['probes']>
  readonly before?: readonly (readonly string[])[]
}

/** `over` where it says something, else `under`; environment variables one by one. */
export function mergeParts(under: ServicePart | undefined, over: ServicePart): ServicePart {
  return { ...under, ...over, env: { ...under?.env, ...over.env } }
}
