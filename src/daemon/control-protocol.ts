import type { Listed } from '../api/product.ts'

/**
 * What the CLI and the daemon say to each other: HTTP/1.1 on the control socket. Long calls answer application/x-ndjson, one event a line,
 * the last one `done` or `error`. An answer that is not 2xx is one JSON object `{"error": WireError}`.
 */

/** A CloudError as it travels and as `--json` shows it. */
export interface WireError {
  /** A name of google.rpc.Code. */
  readonly code: string
  /** Our own name: PORT_TAKEN. */
  readonly fault: string
  readonly message: string
  readonly evidence: readonly string[]
  /** What to do about it: a command, or a sentence. */
  readonly next: string
}

/** How every stream ends. */
export type LastEvent = { readonly kind: 'done' } | { readonly kind: 'error'; readonly error: WireError }

/** POST /up → UpEvent… */
export interface UpRequest {
  /** Absolute path of the project's folder. */
  readonly directory: string
  readonly engine: 'auto' | 'docker' | 'process'
  /** Only tell what would be done. */
  readonly plan: boolean
}

export type UpEvent =
  | { readonly kind: 'plan'; readonly text: string }
  | {
      readonly kind: 'step'
      /** The same from `started` to the end of the step: `build:web`. */
      readonly id: string
      /** For people: `build web`. */
      readonly name: string
      readonly state: 'started' | 'done' | 'failed' | 'note'
      readonly detail?: string
      readonly ms?: number
    }
  | { readonly kind: 'line'; readonly source: string; readonly text: string }
  | {
      readonly kind: 'ready'
      readonly ms: number
      readonly urls: readonly { readonly service: string; readonly url: string }[]
      /** True when everything was still running. */
      readonly reused: boolean
      readonly project: string
    }

/** POST /clean → UpEvent steps. Removes containers, networks, volumes and data of one project, or of all. */
export interface CleanRequest {
  readonly project?: string
  readonly all?: boolean
}

/** GET /ps?project= */
export interface PsAnswer {
  readonly services: readonly {
    readonly project: string
    readonly service: string
    readonly url: string
    readonly revision: string
    readonly state: string
    /** `state` is starting, active, idle, paused or not ready; `id` is empty while it starts. */
    readonly instances: readonly { readonly id: string; readonly state: string; readonly inFlight: number }[]
  }[]
}

/** GET /status */
export interface StatusAnswer {
  readonly daemon: { readonly version: string; readonly pid: number; readonly startedMs: number; readonly stateDirectory: string }
  readonly projects: readonly {
    readonly id: string
    readonly directory: string
    readonly engine: string
    readonly region: string
    readonly resources: readonly Listed[]
    /** Why the rest is empty: what is stored of the project cannot be read. */
    readonly problem?: string
  }[]
}

/** GET /logs?project=&service=&follow=true&tail=100 → LogEvent… */
export type LogEvent =
  | {
      readonly kind: 'log'
      readonly timeMs: number
      /** The id of what printed it: of a job and of a worker pool too, which `resource` then says. */
      readonly service: string
      /** The revision's id; of a job, the execution's. */
      readonly revision: string
      /** The container's id; of a job, `TASK/ATTEMPT`. */
      readonly instance: string
      /** Absent for a service. */
      readonly resource?: 'cloud_run_job' | 'cloud_run_worker_pool'
      /** `system` is what Cloud Run itself says: why an instance starts or ended. */
      readonly stream: 'stdout' | 'stderr' | 'system'
      readonly severity: string
      readonly text: string
    }
  | {
      readonly kind: 'request'
      readonly timeMs: number
      readonly service: string
      readonly revision: string
      readonly method: string
      readonly path: string
      readonly status: number
      readonly latencyMs: number
    }

/** GET /env?project=&endpoints=true&open=true */
export interface EnvAnswer {
  readonly variables: Readonly<Record<string, string>>
}

/** POST /exec → ExecEvent… */
export interface ExecRequest {
  readonly project: string
  readonly service: string
  readonly command: readonly string[]
  /** In a new instance of the service's image that ends with the command, instead of inside a running one. */
  readonly oneOff: boolean
}

export type ExecEvent =
  | {
      readonly kind: 'output'
      readonly stream: 'stdout' | 'stderr'
      /** Base64: output is bytes. */
      readonly data: string
    }
  | { readonly kind: 'exit'; readonly code: number }

/** GET /doctor */
export interface DoctorAnswer {
  readonly checks: readonly DoctorCheck[]
}

export interface DoctorCheck {
  readonly name: string
  readonly state: 'ok' | 'warning' | 'failed'
  readonly detail: string
  /** What to do about it. */
  readonly fix?: string
}

/** GET /version */
export interface VersionAnswer {
  readonly version: string
  readonly pid: number
}

/** POST /api → ApiAnswer. One call of our own products, as any client of Google's would make it, in the local user's name. */
export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** `https://run.googleapis.com/v2/projects/...` */
  readonly url: string
  readonly body?: unknown
}

/** The product's JSON; a fault of it is this control API's own, with the HTTP status of its code. */
export type ApiAnswer = Readonly<Record<string, unknown>>

/** GET /identity-token?audience= → of the local user. Made here alone: Google has no API that gives one to a person. */
export interface TokenAnswer {
  readonly token: string
}

/** POST /open → UpEvent steps: what a project needs before something is deployed into it: its network, its engine, a row in `status`. */
export interface OpenRequest {
  readonly project: string
  /** Of a project that is new. */
  readonly region: string
  readonly engine: 'auto' | 'docker' | 'process'
}

/** POST /build → UpEvent lines, then a BuiltEvent. The project must be open. */
export interface BuildRequest {
  readonly project: string
  /** The service's or the job's id. */
  readonly name: string
  /** Absolute path of the folder. */
  readonly directory: string
}

export interface BuiltEvent {
  readonly kind: 'built'
  readonly image: string
  /** `9 steps, 7 cached` */
  readonly detail: string
}
