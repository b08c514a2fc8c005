import * as z from 'zod'
import { invalid, invalidFlag } from './errors.ts'

type Type = 'BOOLEAN' | 'INTEGER' | 'FLOAT' | 'STRING'

interface Flag {
  readonly type: Type
  readonly min?: number
  readonly max?: number
  readonly values?: readonly string[]
  readonly restart?: true
}

/** A short list of the flags that Cloud SQL for PostgreSQL has. Source: Cloud SQL, "Configure database flags". */
const flags: Readonly<Record<string, Flag>> = {
  autovacuum: { type: 'BOOLEAN' },
  'cloudsql.enable_pg_cron': { type: 'BOOLEAN', restart: true },
  'cloudsql.enable_pgaudit': { type: 'BOOLEAN', restart: true },
  'cloudsql.iam_authentication': { type: 'BOOLEAN' },
  'cloudsql.logical_decoding': { type: 'BOOLEAN', restart: true },
  deadlock_timeout: { type: 'INTEGER', min: 1, max: 2_147_483_647 },
  default_transaction_isolation: { type: 'STRING', values: ['serializable', 'repeatable read', 'read committed', 'read uncommitted'] },
  idle_in_transaction_session_timeout: { type: 'INTEGER', min: 0, max: 2_147_483_647 },
  lock_timeout: { type: 'INTEGER', min: 0, max: 2_147_483_647 },
  log_connections: { type: 'BOOLEAN' },
  log_disconnections: { type: 'BOOLEAN' },
  log_lock_waits: { type: 'BOOLEAN' },
  log_min_duration_statement: { type: 'INTEGER', min: -1, max: 2_147_483_647 },
  log_statement: { type: 'STRING', values: ['none', 'ddl', 'mod', 'all'] },
  log_temp_files: { type: 'INTEGER', min: -1, max: 2_147_483_647 },
  maintenance_work_mem: { type: 'INTEGER', min: 1024, max: 2_147_483_647 },
  max_connections: { type: 'INTEGER', min: 14, max: 262_143, restart: true },
  random_page_cost: { type: 'FLOAT', min: 0, max: 2_147_483_647 },
  statement_timeout: { type: 'INTEGER', min: 0, max: 2_147_483_647 },
  timezone: { type: 'STRING' },
  work_mem: { type: 'INTEGER', min: 64, max: 2_147_483_647 },
}

const flagsSchema = z.array(z.looseObject({ name: z.string(), value: z.string().nullish() }))

/** @param told `settings.databaseFlags` @returns the names; flags are stored without effect @throws CloudError SQL_FLAG_UNKNOWN */
export function checkFlags(told: unknown): readonly string[] {
  const read = flagsSchema.safeParse(told ?? [])
  if (!read.success) throw invalid('settings.databaseFlags must be a list of {name, value}.')
  for (const { name, value } of read.data) {
    const flag = flags[name]
    if (flag === undefined) throw invalidFlag(`The flag name "${name}" is not valid, or not known to devcloud.`)
    if (!isValue(flag, value ?? '')) throw invalidFlag(`The value "${value ?? ''}" of the flag "${name}" is not valid.`)
  }
  return read.data.map(({ name }) => name)
}

export function listFlags() {
  const items = Object.entries(flags).map(([name, { type, min, max, values, restart }]) => ({
    kind: 'sql#flag',
    name,
    type,
    appliesTo: ['POSTGRES_13', 'POSTGRES_14', 'POSTGRES_15', 'POSTGRES_16', 'POSTGRES_17', 'POSTGRES_18'],
    requiresRestart: restart === true,
    ...(min !== undefined && { minValue: String(min) }),
    ...(max !== undefined && { maxValue: String(max) }),
    ...(values !== undefined && { allowedStringValues: values }),
  }))
  return { kind: 'sql#flagsList', items }
}

function isValue({ type, min = -Infinity, max = Infinity, values }: Flag, value: string): boolean {
  if (type === 'BOOLEAN') return value === 'on' || value === 'off'
  if (type === 'STRING') return value !== '' && (values === undefined || values.includes(value))
  const number = Number(value)
  return value.trim() !== '' && number >= min && number <= max && (type === 'FLOAT' || Number.isInteger(number))
}
