import { isDeepStrictEqual } from 'node:util'
import { parse } from 'yaml'
import * as z from 'zod'
import { CloudError, messageOf } from '../base/cloud-error.ts'
import { interpolate } from './interpolate.ts'
import { readBytes, readDurationMs, readWords } from './compose-values.ts'

/** The part of a Compose file that devcloud follows. */
export interface PostgresCompose {
  readonly image: string
  /** The words after the image's entrypoint. */
  readonly command: readonly string[]
  /** Variables, without the superuser's name and password, which devcloud sets. */
  readonly environment: Readonly<Record<string, string>>
  readonly memoryBytes: number | undefined
  readonly healthcheck: {
    /** A command that runs in the container once the server answers. Absent: the server's answer is enough. */
    readonly command: readonly string[] | undefined
    /** The time in ms for one run of the command. */
    readonly timeoutMs: number
    /** How long a server may take until it answers, in ms: the start period and all retries, at least 10 s. */
    readonly deadlineMs: number
  }
}

/** The superuser's name and the data folder: the same for every server and image. */
const ownVariables = ['POSTGRES_USER', 'POSTGRES_PASSWORD', 'POSTGRES_DB', 'PGDATA']
const refusedVariables = ['POSTGRES_USER_FILE', 'POSTGRES_PASSWORD_FILE', 'POSTGRES_DB_FILE', 'POSTGRES_INITDB_WALDIR']
const ownKeys = ['volumes', 'networks'] as const

const text = z.union([z.string(), z.number()]).transform(String)
const words = z.union([z.string(), z.array(text)])
const environment = z.union([z.record(z.string(), z.union([text, z.boolean().transform(String), z.null()])), z.array(z.string())])
const healthcheck = z.strictObject({
  test: words.optional(),
  interval: text.optional(),
  timeout: text.optional(),
  retries: z.number().int().positive().optional(),
  start_period: text.optional(),
})
const service = z.strictObject({
  image: z.string(),
  command: words.nullish(),
  environment: environment.nullish(),
  healthcheck: healthcheck.optional(),
  mem_limit: text.optional(),
  volumes: z.unknown().optional(),
  networks: z.unknown().optional(),
})
const file = z.strictObject({
  name: z.string().optional(),
  services: z.strictObject({ postgres: service }),
  volumes: z.unknown().optional(),
  networks: z.unknown().optional(),
})
type Service = z.infer<typeof service>

/**
 * Reads a Compose file of one service, `postgres`.
 * @param place the name of the file in errors
 * @param major the value of `POSTGRES_VERSION`
 * @param standard the text of devcloud's own compose/postgres.yaml, which says what must not change
 * @throws CloudError COMPOSE_INVALID, with code UNIMPLEMENTED for keys that devcloud does not follow
 */
export function readPostgresCompose(source: string, place: string, major: number, standard: string): PostgresCompose {
  const found = readFile(source, place)
  const { postgres } = found.services
  checkOwn(found, readFile(standard, 'compose/postgres.yaml'), place)
  const fill = (value: string) => interpolate(value, { POSTGRES_VERSION: String(major) }, (problem) => invalid(place, problem))
  const check = <T>(value: T | undefined, key: string, sent: string): T => {
    if (value === undefined) throw invalid(place, `services.postgres.${key} "${sent}" cannot be read`)
    return value
  }
  const toWords = (value: string | readonly string[], key: string) =>
    typeof value === 'string' ? check(readWords(fill(value)), key, value) : value.map(fill)
  const durationMs = (key: 'interval' | 'timeout' | 'start_period', usual: string) => {
    const sent = postgres.healthcheck?.[key] ?? usual
    return check(readDurationMs(fill(sent)), `healthcheck.${key}`, sent)
  }
  const tries = postgres.healthcheck?.retries ?? 3
  const memory = postgres.mem_limit
  return {
    image: fill(postgres.image),
    command: postgres.command === undefined || postgres.command === null ? ['postgres'] : toWords(postgres.command, 'command'),
    environment: Object.fromEntries(
      [...readEnvironment(postgres, place)].filter(([name]) => !ownVariables.includes(name)).map(([name, value]) => [name, fill(value)]),
    ),
    memoryBytes: memory === undefined ? undefined : check(readBytes(fill(memory)), 'mem_limit', memory),
    healthcheck: {
      command: toTest(postgres, toWords),
      // Docker's own defaults: https://docs.docker.com/reference/dockerfile/#healthcheck
      timeoutMs: durationMs('timeout', '30s'),
      deadlineMs: Math.max(durationMs('start_period', '0s') + tries * durationMs('interval', '30s'), 10_000),
    },
  }
}

function readFile(source: string, place: string): z.infer<typeof file> {
  let document: unknown
  try {
    document = parse(source, { maxAliasCount: 100 })
  } catch (error) {
    throw invalid(place, messageOf(error))
  }
  const read = file.safeParse(document)
  if (read.success) return read.data
  const unknown = read.error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key].join('.')) : [],
  )
  if (unknown.length > 0) throw notFollowed(place, unknown)
  const issue = read.error.issues[0]
  throw invalid(place, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`)
}

/** Checks a key that devcloud sets: the file leaves the key out, or says what devcloud's own file says. */
function checkOwn(found: z.infer<typeof file>, standard: z.infer<typeof file>, place: string): void {
  const changed = ownKeys.flatMap((key) => [
    ...(isOwn(found[key], standard[key]) ? [] : [key]),
    ...(isOwn(found.services.postgres[key], standard.services.postgres[key]) ? [] : [`services.postgres.${key}`]),
  ])
  const sent = readEnvironment(found.services.postgres, place)
  const own = readEnvironment(standard.services.postgres, place)
  for (const name of ownVariables) if (!isOwn(sent.get(name), own.get(name))) changed.push(`services.postgres.environment.${name}`)
  for (const name of refusedVariables) if (sent.has(name)) changed.push(`services.postgres.environment.${name}`)
  if (changed.length > 0) throw notFollowed(place, changed)
}

function isOwn(value: unknown, own: unknown): boolean {
  return value === undefined || isDeepStrictEqual(value, own)
}

/** Reads a map or a list of NAME=VALUE. A name without a value is refused: Compose takes such a value from the shell. */
function readEnvironment({ environment: sent }: Service, place: string): ReadonlyMap<string, string> {
  const pairs = Array.isArray(sent)
    ? sent.map((line): [string, string | null] =>
        line.includes('=') ? [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] : [line, null],
      )
    : Object.entries(sent ?? {})
  return new Map(
    pairs.map(([name, value]) => {
      if (value === null) throw invalid(place, `services.postgres.environment.${name} has no value`)
      return [name, value]
    }),
  )
}

/** `[CMD, ...]`, `[CMD-SHELL, line]`, `[NONE]`, or a line for the shell. */
function toTest(postgres: Service, toWords: (value: readonly string[], key: string) => readonly string[]): readonly string[] | undefined {
  const test = postgres.healthcheck?.test
  if (test === undefined) return undefined
  const [kind, ...rest] = toWords(typeof test === 'string' ? ['CMD-SHELL', test] : test, 'healthcheck.test')
  if (kind === 'CMD') return rest
  return kind === 'CMD-SHELL' ? ['/bin/sh', '-c', rest.join(' ')] : undefined
}

function notFollowed(place: string, keys: readonly string[]): CloudError {
  const list = keys.map((key) => `"${key}"`).join(', ')
  const next = 'Take it out, or write it as in compose/postgres.yaml of devcloud.'
  return new CloudError('UNIMPLEMENTED', `${list} of ${place} is not followed by devcloud.`, next, { fault: 'COMPOSE_INVALID' })
}

function invalid(place: string, problem: string): CloudError {
  return new CloudError('INVALID_ARGUMENT', `${place}: ${problem}.`, `Correct ${place}.`, { fault: 'COMPOSE_INVALID' })
}
