/** The JSON of Cloud Run's v2 API, as far as flags change it. Everything else in it is carried along. */

export interface ServiceJson {
  name?: string
  description?: string
  labels?: Record<string, string>
  ingress?: string
  invokerIamDisabled?: boolean
  defaultUriDisabled?: boolean
  customAudiences?: string[]
  scaling?: { minInstanceCount?: number; maxInstanceCount?: number; scalingMode?: string; manualInstanceCount?: number }
  template: TemplateJson
  traffic?: TrafficJson[]
  readonly latestReadyRevision?: string
  readonly latestCreatedRevision?: string
  readonly etag?: string
}

/** Of a revision, a task, or a worker pool's revision: each uses what it has. */
export interface TemplateJson {
  revision?: string
  labels?: Record<string, string>
  annotations?: Record<string, string>
  scaling?: { minInstanceCount?: number; maxInstanceCount?: number }
  timeout?: string
  serviceAccount?: string
  containers: ContainerJson[]
  volumes?: VolumeJson[]
  executionEnvironment?: string
  maxInstanceRequestConcurrency?: number
  sessionAffinity?: boolean
  healthCheckDisabled?: boolean
  maxRetries?: number
}

export interface ContainerJson {
  name?: string
  image?: string
  command?: string[]
  args?: string[]
  env?: EnvJson[]
  resources?: { limits?: Record<string, string>; cpuIdle?: boolean; startupCpuBoost?: boolean }
  ports?: { name?: string; containerPort?: number }[]
  volumeMounts?: { name: string; mountPath: string }[]
  workingDir?: string
  startupProbe?: ProbeJson
  livenessProbe?: ProbeJson
  dependsOn?: string[]
}

export interface EnvJson {
  name: string
  value?: string
  valueSource?: { secretKeyRef: { secret: string; version: string } }
}

export interface VolumeJson {
  name: string
  secret?: { secret: string; items?: { path: string; version: string }[] }
  cloudSqlInstance?: { instances: string[] }
  emptyDir?: { medium: string; sizeLimit?: string }
  gcs?: { bucket: string; readOnly?: boolean; mountOptions?: string[] }
  nfs?: { server: string; path: string; readOnly?: boolean }
}

export interface ProbeJson {
  initialDelaySeconds?: number
  timeoutSeconds?: number
  periodSeconds?: number
  failureThreshold?: number
  httpGet?: { path?: string; port?: number }
  tcpSocket?: { port?: number }
  grpc?: { port?: number; service?: string }
}

export const toLatestType = 'TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST'
export const toRevisionType = 'TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION'

export interface TrafficJson {
  type?: string
  /** The revision's id, for `toRevisionType`. */
  revision?: string
  percent?: number
  tag?: string
}

/** What the server writes in resources of v2. */
export interface ServerFields {
  readonly name?: string
  readonly createTime?: string
  readonly updateTime?: string
  readonly creator?: string
  readonly lastModifier?: string
  readonly uri?: string
  readonly reconciling?: boolean
  readonly terminalCondition?: ConditionJson
  readonly conditions?: readonly ConditionJson[]
  readonly trafficStatuses?: readonly (TrafficJson & { readonly uri?: string })[]
}

interface ConditionJson {
  readonly type: string
  readonly state: string
  readonly message?: string
  readonly lastTransitionTime?: string
}
