import type { Note } from '../config/plan-text.ts'
import type { GoogleApi } from './google-api.ts'

/** The project that `devcloud up` makes. */
export interface Site {
  readonly project: string
  readonly region: string
  /** Absolute path of the project's folder. */
  readonly directory: string
  /** What the project runs on; undefined where only the plan is asked for, of a project that was never up. */
  readonly engine: 'docker' | 'process' | undefined
  /** False for a project that was taken down: what answers only while it runs is not asked for a plan. */
  readonly isUp: boolean
  /** Calls the products as the local user. */
  readonly api: GoogleApi
}

/** One resource of a project, on its way from what is there to what is wanted. */
export interface Step {
  /** Unique in the plan: `service:web`. */
  readonly id: string
  /** For people: `service web`. */
  readonly name: string
  /** Builds need nothing. Resources need the network. Workloads need all resources: an application asks for them when it starts. */
  readonly stage: 'build' | 'resource' | 'workload'
  /** Ids of steps that come before it; one that is not in the plan counts as done. */
  readonly after: readonly string[]
  /** Why something changes: `created: devcloud.yaml:12`, `new revision: image changed`. Absent where everything is kept. */
  readonly cause?: string
}

/** What one product does for a project, decided without changing anything. */
export interface ProductPlan {
  readonly steps: readonly Step[]
  /** What a browser opens, once the steps are done. */
  readonly urls?: readonly { readonly service: string; readonly url: string }[]
  /** What is asked for and not had. */
  readonly notes?: readonly Note[]
  /** Carries out a step of the plan; of a kept one it sees to it that the resource answers. Answers what was done, for people. */
  execute(step: Step, progress: Progress): Promise<string>
}

export interface Progress {
  /** Told the output of builds and commands. @param source `build web` */
  readonly onLine: (source: string, text: string) => void
  readonly signal: AbortSignal
}

/** A step that changes something for `cause`, or that keeps everything without one. */
export function toStep(about: Omit<Step, 'cause'>, cause: string | undefined): Step {
  return cause === undefined ? about : { ...about, cause }
}

/** The cause of a resource that is not there: `created: devcloud.yaml:12`. */
export function created({ file, line }: { readonly file: string; readonly line: number }): string {
  return `created: ${file}:${line}`
}
