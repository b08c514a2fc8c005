/**
 * What Cloud Run fills in where a client says nothing, and what it keeps to itself. Sources: the comments of google/cloud/run/v2/*.proto;
 * cloud.google.com/run/docs/container-contract and cloud.google.com/run/quotas.
 */

/** Of each container. */
export const defaultLimits = { cpu: '1000m', memory: '512Mi' } as const

/** The same as numbers, as configuration is read. */
export const defaultCpus = 1
export const defaultMemoryBytes = 512 * 2 ** 20

/** Where requests come to, told as PORT. */
export const defaultPort = 8080

/** Of a request, as Duration has them. */
export const defaultRequestSeconds = 300n

/** Requests that an instance takes at a time; 1 where it has less than a whole CPU. */
export const defaultConcurrency = 80

/** Instances of a revision at most. */
export const defaultMaxInstances = 100

/** Of an attempt of a task. */
export const defaultTaskSeconds = 600n

/** Attempts of a task beyond the first. */
export const defaultRetries = 3

/** Instances of a worker pool. */
export const defaultWorkers = 1

/** How long a container may take until it listens. */
export const defaultStartupSeconds = 240

/** SIGTERM, then this long, then SIGKILL (run trap 7). */
export const graceMs = 10_000

/** Variables that the system sets, and that a user cannot. */
export const reservedEnv = {
  service: ['PORT', 'K_SERVICE', 'K_REVISION', 'K_CONFIGURATION'],
  task: ['CLOUD_RUN_JOB', 'CLOUD_RUN_EXECUTION', 'CLOUD_RUN_TASK_INDEX', 'CLOUD_RUN_TASK_ATTEMPT', 'CLOUD_RUN_TASK_COUNT'],
  worker: ['CLOUD_RUN_WORKER_POOL', 'CLOUD_RUN_WORKER_POOL_REVISION'],
} as const satisfies Readonly<Record<string, readonly string[]>>
