import type { Place } from '../../../config/place.ts'

/** What a project's files want of Cloud Run. */
export interface WantedRun {
  readonly services: readonly WantedService[]
  readonly jobs: readonly WantedJob[]
}

/** What to build. */
export interface WantedSource {
  readonly directory: string
  readonly dockerfile?: string
  readonly command?: readonly string[]
}

/** A document of service.yaml or job.yaml as it stands there, for the rules of the API that takes such documents. */
export interface Manifest {
  readonly value: unknown
  /** Relative to the project's folder, with its whole text. */
  readonly file: string
  readonly text: string
}

export interface WantedService {
  readonly id: string
  readonly from: Place
  readonly manifest?: Manifest
  /** Absent when `image` names a ready image. */
  readonly source?: WantedSource
  readonly image?: string
  readonly command?: readonly string[]
  readonly args?: readonly string[]
  readonly env: Readonly<Record<string, WantedEnv>>
  readonly port: number
  /** What is spoken on it: HTTP/1.1, or HTTP/2 with prior knowledge. Default `http1`. */
  readonly protocol?: 'http1' | 'h2c'
  /** False keeps the CPU between requests. Default true. */
  readonly cpuIdle?: boolean
  readonly startupCpuBoost?: boolean
  readonly sessionAffinity?: boolean
  readonly cpus: number
  readonly memoryBytes: number
  readonly concurrency: number
  readonly minInstances: number
  readonly maxInstances: number
  readonly timeoutSeconds: number
  /** Connection names `PROJECT:REGION:INSTANCE`, their sockets under /cloudsql. */
  readonly cloudSqlInstances: readonly string[]
  readonly secretVolumes: readonly {
    readonly mountPath: string
    readonly secret: string
    readonly items: readonly { readonly path: string; readonly version: string }[]
  }[]
  readonly serviceAccount?: string
  /** How long an instance that no request needs is kept; absent for the daemon's own. */
  readonly idleSeconds?: number
  /** Who may call: everybody, or who has roles/run.invoker. */
  readonly invoker: 'all' | 'private'
  /** By their names, as service.yaml and Cloud Run's v2 API both write them. */
  readonly probes?: Readonly<Partial<Record<'startupProbe' | 'livenessProbe' | 'readinessProbe', Readonly<Record<string, unknown>>>>>
  /** Containers of each instance beside the one that serves, which is then `containerName` and starts behind `dependsOn`. */
  readonly sidecars?: readonly WantedSidecar[]
  readonly containerName?: string
  readonly dependsOn?: readonly string[]
  /** Volumes but those of `secretVolumes` and Cloud SQL, as version 2 of the API writes them, and where the serving container has them. */
  readonly volumes?: readonly Readonly<Record<string, unknown>>[]
  readonly volumeMounts?: WantedSidecar['volumeMounts']
  /** Commands run to their end in the new image before a revision starts, such as migrations. */
  readonly before: readonly (readonly string[])[]
}

export interface WantedSidecar {
  readonly name: string
  readonly image: string
  readonly command?: readonly string[]
  readonly args?: readonly string[]
  readonly env: Readonly<Record<string, WantedEnv>>
  readonly cpus: number
  readonly memoryBytes: number
  readonly dependsOn: readonly string[]
  readonly probes?: NonNullable<WantedService['probes']>
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[]
}

/** What containers of services and of jobs have in common. */
export type WantedContainer = Pick<
  WantedService,
  'command' | 'args' | 'env' | 'cpus' | 'memoryBytes' | 'cloudSqlInstances' | 'secretVolumes' | 'serviceAccount'
>

/** A Cloud Run job. What it runs is exactly one of `service`, `source` and `image`. */
export interface WantedJob extends WantedContainer {
  readonly id: string
  readonly from: Place
  readonly manifest?: Manifest
  /** The id of the service of this project whose image it runs. */
  readonly service?: string
  readonly source?: WantedSource
  readonly image?: string
  readonly tasks: number
  /** Tasks at a time; 0 is as many as possible. */
  readonly parallelism: number
  /** Attempts of a task beyond the first. */
  readonly maxRetries: number
  /** Of one attempt. */
  readonly timeoutSeconds: number
  /** When it runs by itself: five fields of cron, and a time zone of the IANA. */
  readonly schedule?: { readonly cron: string; readonly timeZone: string }
}

export type WantedEnv = { readonly value: string } | { readonly secret: string; readonly version: string }
