/** What commands are about, in gcloud's words. */
export interface ResourceKind {
  readonly words: string
  /** Of a command line: `worker-pool`. */
  readonly argument: string
  /** As in names of version 2: `workerPools`. */
  readonly collection: string
  /** Of version 1 of the API. */
  readonly group: 'serving.knative.dev' | 'run.googleapis.com'
  /** What lists them. */
  readonly list: string
  /** Stands below a service or a job: it is asked for by version 1, which finds it by its id. */
  readonly isDeep: boolean
}

export const serviceKind = toKind('service', 'services', 'serving.knative.dev', 'services')
export const revisionKind = toKind('revision', 'revisions', 'serving.knative.dev', 'revisions', true)
export const jobKind = toKind('job', 'jobs', 'run.googleapis.com', 'jobs')
export const executionKind = toKind('execution', 'executions', 'run.googleapis.com', 'jobs executions', true)
export const taskKind = toKind('task', 'tasks', 'run.googleapis.com', 'jobs executions', true)
export const poolKind = toKind('worker pool', 'workerPools', 'run.googleapis.com', 'worker-pools')

function toKind(words: string, collection: string, group: ResourceKind['group'], commands: string, isDeep = false): ResourceKind {
  return { words, argument: words.replace(' ', '-'), collection, group, list: `devcloud run ${commands} list`, isDeep }
}
