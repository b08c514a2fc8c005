import { z } from 'zod'
import { rules } from '../../../config/ids.ts'
import { strict, text, whole } from '../../../config/schema-parts.ts'
import { reservedEnv } from '../defaults.ts'
import { isCron, isTimeZone } from './cron.ts'
import { readCpu, readMemory } from './quantities.ts'

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
  mountPath: text(mountRule).describe('The folder in the container that gets the file.'),
  secret: text(rules.secret),
  version: version.optional(),
  path: text(itemPathRule).optional().describe("The file's path, relative to mountPath. Default: the secret's id."),
})

const scaling = strict({ min: whole(0, 1000).optional(), max: whole(1, 1000).optional() }).refine(({ min = 0, max = 100 }) => min <= max, {
  error: 'a min that is not above max (100 when it is not written)',
})

const cpu = z
  .union([z.number(), z.string()])
  .refine((value) => readCpu(value) !== undefined, { error: '0.08 to 8 CPUs, such as 1 or 500m' })
  .optional()
  .describe('CPUs of an instance. Default: 1.')
const memory = z
  .string()
  .refine((value) => readMemory(value) !== undefined, { error: '128Mi to 32Gi, such as 512Mi or 1Gi' })
  .optional()
  .describe('Memory of an instance. Default: 512Mi.')

const service = strict({
  dir: path.optional().describe("The folder to build, relative to the project's folder. Default: the project's folder."),
  dockerfile: path.optional().describe('The Dockerfile, relative to dir. Default: Dockerfile, if dir has one.'),
  image: z.string().min(1, { error: "an image's name" }).optional().describe('A ready image. devcloud runs this image instead of a build.'),
  command: words
    .optional()
    .describe("The command that replaces the image's ENTRYPOINT. With the process engine it replaces the Procfile or npm start."),
  args: z.array(z.string()).optional().describe("Arguments that replace the image's CMD."),
  env: envWithout(reservedEnv.service).nullish(),
  files: z.array(file).optional().describe('Secrets as files.'),
  instances: z
    .array(z.string())
    .optional()
    .describe('Cloud SQL instances whose sockets the service gets under /cloudsql: ids of this file, or PROJECT:REGION:ID.'),
  port: whole(1, 65_535)
    .optional()
    .describe('The port on which the container listens. The container gets it as the variable PORT. Default: 8080.'),
  cpu,
  memory,
  concurrency: whole(1, 1000).optional().describe('The most requests that one instance takes at a time. Default: 80.'),
  scaling: scaling.optional().describe('The fewest and the most instances of a revision. Default: { min: 0, max: 100 }.'),
  idleSeconds: whole(1, 3600)
    .optional()
    .describe('Seconds that an idle instance is kept. Default: 300. Cloud Run keeps an idle instance for at most 900, and often for less.'),
  timeout: whole(1, 3600).optional().describe('The most seconds that a request may take. Default: 300.'),
  serviceAccount: z
    .string()
    .min(1, { error: "a service account's email" })
    .optional()
    .describe('The email of the service account that the service runs as.'),
  invoker: z
    .enum(['all', 'private'], { error: 'all or private' })
    .optional()
    .describe('Who may call the service: all, or private for callers with roles/run.invoker and an ID token. Default: all.'),
  before: z
    .array(z.union([z.string().min(1, { error: 'a command' }), words]))
    .optional()
    .describe('Commands that run to their end in the new image before a revision starts, such as migrations: words, or a line for sh.'),
})

const cron = z
  .string()
  .refine(isCron, { error: 'five fields of cron, such as "0 3 * * *"' })
  .describe('Five fields of cron: minute, hour, day, month, day of the week.')
const timeZone = z
  .string()
  .refine(isTimeZone, { error: 'a time zone, such as Europe/Berlin' })
  .describe('The time zone of the schedule. Default: UTC.')

const job = strict({
  service: text(rules.service).optional().describe('The service whose image the job runs. Default: the only service of the project.'),
  dir: path.optional().describe("A folder to build for the job, relative to the project's folder."),
  dockerfile: path.optional().describe('The Dockerfile, relative to dir. Default: Dockerfile.'),
  image: z.string().min(1, { error: "an image's name" }).optional().describe('A ready image. devcloud runs this image instead of a build.'),
  command: words.optional().describe("The command that replaces the image's ENTRYPOINT."),
  args: z.array(z.string()).optional().describe("Arguments that replace the image's CMD."),
  env: envWithout(reservedEnv.task).nullish(),
  files: z.array(file).optional().describe('Secrets as files.'),
  instances: z
    .array(z.string())
    .optional()
    .describe('Cloud SQL instances whose sockets the tasks get under /cloudsql: ids of this file, or PROJECT:REGION:ID.'),
  cpu,
  memory,
  serviceAccount: z
    .string()
    .min(1, { error: "a service account's email" })
    .optional()
    .describe('The email of the service account that the job runs as.'),
  tasks: whole(1, 10_000).optional().describe('The number of tasks. A task gets its number as CLOUD_RUN_TASK_INDEX. Default: 1.'),
  parallelism: whole(0, 10_000).optional().describe('The most tasks that run at a time. Default: 0, as many as possible.'),
  maxRetries: whole(0, 10).optional().describe('Attempts of a task beyond the first. Default: 3.'),
  timeout: whole(1, 604_800).optional().describe('The most seconds that one attempt may take. Default: 600.'),
  schedule: z
    .union([cron, strict({ cron, timeZone: timeZone.optional() })])
    .optional()
    .describe('When the job runs by itself while the project is up: cron, or { cron, timeZone }.'),
})

export const keys = {
  services: z.record(text(rules.service), service.nullable()).nullish().describe('Cloud Run services.'),
  jobs: z.record(text(rules.job), job.nullable()).nullish().describe('Cloud Run jobs.'),
}

export type DevcloudService = z.infer<typeof service>
export type DevcloudJob = z.infer<typeof job>
