import { z } from 'zod'
import { rules } from '../../../config/ids.ts'
import { strict, text, whole } from '../../../config/schema-parts.ts'
import { isCron, isTimeZone } from './cron.ts'
import { readCpu, readMemory } from './quantities.ts'

/** Names that Cloud Run sets itself and refuses. */
export const reservedEnv = ['PORT', 'K_SERVICE', 'K_REVISION', 'K_CONFIGURATION']
/** The same, for tasks of jobs. */
const reservedTaskEnv = ['JOB', 'EXECUTION', 'TASK_INDEX', 'TASK_ATTEMPT', 'TASK_COUNT'].map((name) => `CLOUD_RUN_${name}`)

/** What an absolute path of a mount may be: not the root, nor what devcloud or the kernel mounts. */
export const mountRule = {
  pattern: /^\/(?!(?:cloudsql|dev|proc|sys)(?:\/|$))[^/\0]+(?:\/[^/\0]+)*$/,
  words: 'an absolute path such as /secrets, outside /cloudsql, /dev, /proc and /sys',
}

/** A path below a mount: `db/password`, never upwards. */
export const itemPathRule = {
  pattern: /^(?!\.{1,2}(?:\/|$))(?!.*\/\.{1,2}(?:\/|$))[^/\0]+(?:\/[^/\0]+)*$/,
  words: 'a path within mountPath, such as password',
}

const version = z.union([text(rules.version), whole(1, 999_999_999)]).describe('latest, or the number of a version.')
const words = z.array(z.string()).min(1, { error: 'a list with at least one word, such as [node, server.js]' })
const path = z.string().min(1, { error: 'a path' })

const envWithout = (reserved: readonly string[]) =>
  z
    .record(
      text(rules.env).refine((name) => !reserved.includes(name), { error: 'another name: Cloud Run sets this one itself' }),
      z.union([z.string(), strict({ secret: text(rules.secret), version: version.optional() })]),
    )
    .describe('Environment variables: text, or { secret: ID, version: latest }.')

const file = strict({
  mountPath: text(mountRule).describe('The folder, inside the container, that holds the file.'),
  secret: text(rules.secret),
  version: version.optional(),
  path: text(itemPathRule).optional().describe("The file's path within mountPath. Default: the secret's id."),
})

const scaling = strict({ min: whole(0, 1000).optional(), max: whole(1, 1000).optional() }).refine(({ min = 0, max = 100 }) => min <= max, {
  error: 'a min that is not above max (100 when it is not written)',
})

const cpu = z
  .union([z.number(), z.string()])
  .refine((value) => readCpu(value) !== undefined, { error: '0.08 to 8 CPUs, such as 1 or 500m' })
  .optional()
  .describe('Default: 1.')
const memory = z
  .string()
  .refine((value) => readMemory(value) !== undefined, { error: '128Mi to 32Gi, such as 512Mi or 1Gi' })
  .optional()
  .describe('Default: 512Mi.')

const service = strict({
  dir: path.optional().describe('The folder to build, within the project. Default: the project itself.'),
  dockerfile: path.optional().describe('The Dockerfile, within dir. Default: Dockerfile, where there is one.'),
  image: z.string().min(1, { error: "an image's name" }).optional().describe('A ready image, run instead of a build.'),
  command: words
    .optional()
    .describe("Runs instead of the image's ENTRYPOINT; with the process engine, instead of the Procfile or npm start."),
  args: z.array(z.string()).optional().describe("Follow the command instead of the image's CMD."),
  env: envWithout(reservedEnv).nullish(),
  files: z.array(file).optional().describe('Secrets as files.'),
  instances: z
    .array(z.string())
    .optional()
    .describe('Cloud SQL instances whose sockets stand under /cloudsql: ids of this file, or PROJECT:REGION:ID.'),
  port: whole(1, 65_535).optional().describe('The port that the container listens on; it is told as PORT. Default: 8080.'),
  cpu,
  memory,
  concurrency: whole(1, 1000).optional().describe('Requests that one instance takes at a time. Default: 80.'),
  scaling: scaling.optional().describe('Instances of a revision. Default: { min: 0, max: 100 }.'),
  idleSeconds: whole(1, 3600)
    .optional()
    .describe('How long an instance that no request needs is kept. Default: 300; Cloud Run keeps it for 900 at most, and often for less.'),
  timeout: whole(1, 3600).optional().describe('Seconds that a request may take. Default: 300.'),
  serviceAccount: z.string().min(1, { error: "a service account's email" }).optional().describe('Whose tokens the metadata server gives.'),
  invoker: z
    .enum(['all', 'private'], { error: 'all or private' })
    .optional()
    .describe('Who may call: all, or private for those with roles/run.invoker, by ID token. Default: all.'),
  before: z
    .array(z.union([z.string().min(1, { error: 'a command' }), words]))
    .optional()
    .describe('Commands run to their end in the new image before a revision starts, such as migrations: words, or a line for sh.'),
})

const cron = z
  .string()
  .refine(isCron, { error: 'five fields of cron, such as "0 3 * * *"' })
  .describe('Five fields of cron: minute, hour, day, month, day of the week.')
const timeZone = z.string().refine(isTimeZone, { error: 'a time zone, such as Europe/Berlin' }).describe('Default: UTC.')

const job = strict({
  service: text(rules.service).optional().describe('The service whose image it runs. Default: the only one of the project.'),
  dir: path.optional().describe('A folder to build for it, within the project.'),
  dockerfile: path.optional().describe('The Dockerfile, within dir. Default: Dockerfile.'),
  image: z.string().min(1, { error: "an image's name" }).optional().describe('A ready image.'),
  command: words.optional().describe("Runs instead of the image's ENTRYPOINT."),
  args: z.array(z.string()).optional().describe("Follow the command instead of the image's CMD."),
  env: envWithout(reservedTaskEnv).nullish(),
  files: z.array(file).optional().describe('Secrets as files.'),
  instances: z.array(z.string()).optional().describe('Cloud SQL instances, as of a service.'),
  cpu,
  memory,
  serviceAccount: z.string().min(1, { error: "a service account's email" }).optional().describe('Whose tokens the metadata server gives.'),
  tasks: whole(1, 10_000).optional().describe('Default: 1. Each gets CLOUD_RUN_TASK_INDEX.'),
  parallelism: whole(0, 10_000).optional().describe('Tasks at a time. Default: 0, as many as possible.'),
  maxRetries: whole(0, 10).optional().describe('Attempts of a task beyond the first. Default: 3.'),
  timeout: whole(1, 604_800).optional().describe('Seconds that one attempt may take. Default: 600.'),
  schedule: z
    .union([cron, strict({ cron, timeZone: timeZone.optional() })])
    .optional()
    .describe('When it runs by itself while the project is up: cron, or { cron, timeZone }.'),
})

export const keys = {
  services: z.record(text(rules.service), service.nullable()).nullish().describe('Cloud Run services.'),
  jobs: z.record(text(rules.job), job.nullable()).nullish().describe('Cloud Run jobs.'),
}

export type DevcloudService = z.infer<typeof service>
export type DevcloudJob = z.infer<typeof job>
