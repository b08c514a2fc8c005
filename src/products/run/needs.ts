import type { Policy } from '../../api/gen/google/iam/v1/policy_pb.ts'
import type { Operations } from '../../api/operations.ts'
import type { ProjectIds } from '../../api/project-ids.ts'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { ContainerSpec, Engine } from '../../engine/engine.ts'
import type { Router } from '../../router/upstream.ts'
import type { State } from '../../state/state.ts'
import type { ContainerLog } from '../../telemetry/container-log.ts'

/** What Cloud Run stands on, handed in by the daemon. */
export interface RunNeeds {
  readonly state: State
  readonly clock: Clock
  readonly log: Log
  readonly operations: Operations
  readonly router: Router
  /** Lines of containers that may be gone: of tasks and of worker pools. */
  readonly containerLog: ContainerLog
  /** A project by id or number. */
  readonly project: (idOrNumber: string) => Project
  /** Whether requests for the services of this project are taken: false after `devcloud down`. */
  readonly isUp: (projectId: string) => boolean
  /** The URL that a browser on this machine opens for a service. */
  readonly urlOf: (projectId: string, service: string) => string
  /** The engine that this project runs on. @throws CloudError when none answers */
  readonly engineFor: (projectId: string, signal: AbortSignal) => Promise<Engine>
  /** The payload of `projects/P/secrets/S/versions/V`, read as `serviceAccount`. @throws CloudError NOT_FOUND and the like */
  readonly accessSecret: (name: string, serviceAccount: string) => Promise<Uint8Array>
  /** Tells of the name of each secret of which a version was added, changed or removed, until it is disposed. */
  readonly onSecretChange: (listener: (secret: string) => void) => Disposable
  /** The host's folder of the socket of `PROJECT:REGION:INSTANCE`, for a service account that may connect. @throws CloudError NOT_FOUND, PERMISSION_DENIED */
  readonly socketDirectory: (connectionName: string, serviceAccount: string) => Promise<string>
  /** What an ID token of ours says; undefined for one that is over or none of ours. */
  readonly readIdToken: (token: string) => { readonly email: string; readonly audience: string; readonly expiresMs: number } | undefined
  /** Who may do what in a project. */
  readonly projectPolicy: (projectId: string) => Policy
  /** Tells the ids of projects whose policy was set. */
  readonly onProjectPolicy: (listener: (projectId: string) => void) => void
  /** A folder of this host that is in step with the bucket from now on, for a service account that may read it, and write unless `readOnly`. @throws CloudError NOT_FOUND, PERMISSION_DENIED */
  readonly bucketFolder: (bucket: string, serviceAccount: string, readOnly: boolean) => Promise<string>
  /** What every instance gets so that Google's names answer from here: variables, options as `ContainerSpec` has them, and the CA bundle. */
  readonly surroundings: (
    project: Project,
    serviceAccount: string,
    engine: Engine['kind'],
  ) => Promise<Pick<ContainerSpec, 'env' | 'options' | 'mounts'>>
}

export interface Project extends ProjectIds {
  /** The region that `devcloud up` works in. Absent where none is known. */
  readonly region?: string
}
