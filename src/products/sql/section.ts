import { z } from 'zod'
import { given } from '../../config/given.ts'
import { rules } from '../../config/ids.ts'
import { commented, initYaml } from '../../config/init-yaml.ts'
import type { Place } from '../../config/place.ts'
import { strict, text } from '../../config/schema-parts.ts'
import { section } from '../../config/section.ts'

export interface WantedInstances {
  readonly instances: readonly WantedInstance[]
}

export interface WantedInstance {
  /** The Cloud SQL instance's id. */
  readonly id: string
  readonly from: Place
  /** Google's word: `POSTGRES_15`. */
  readonly databaseVersion: string
  readonly databases: readonly string[]
  /** `passwordSecret` is the id of the secret whose latest version is the password; `password` is empty then. */
  readonly users: readonly { readonly name: string; readonly password: string; readonly passwordSecret?: string }[]
}

const instance = strict({
  version: text(rules.databaseVersion).optional().describe('The version of Postgres. Default: POSTGRES_15.'),
  databases: z.array(text(rules.database)).nullish(),
  users: z
    .record(text(rules.user), strict({ password: z.union([z.string(), strict({ secret: text(rules.secret) })]) }))
    .nullish()
    .describe("Users, each with the user's password: text, or { secret: ID }."),
})

const keys = {
  instances: z.record(text(rules.instance), instance.nullable()).nullish().describe('Cloud SQL instances.'),
}

export const sqlSection = section<typeof keys, WantedInstances>({
  product: 'sql',
  keys,
  async read({ told, document }) {
    const instances = Object.entries(told.instances ?? {}).map(([id, wanted]) => ({
      id,
      from: document.keyPlaceOf(['instances', id]),
      databaseVersion: wanted?.version ?? 'POSTGRES_15',
      databases: [...new Set(wanted?.databases)],
      users: Object.entries(wanted?.users ?? {}).map(([name, { password }]) =>
        typeof password === 'string' ? { name, password } : { name, password: '', passwordSecret: password.secret },
      ),
    }))
    return { wanted: () => (instances.length === 0 ? undefined : { instances }) }
  },
  describe: ({ instances }) =>
    instances.map(({ id, databaseVersion, databases, users, from }) => {
      const names = users.map(({ name, passwordSecret }) =>
        passwordSecret === undefined ? name : `${name} (password: secret ${passwordSecret})`,
      )
      const what = [databaseVersion, ...listed('databases', databases), ...listed('users', names)].join(' · ')
      return { name: `sql ${id}`, what, from }
    }),
  init: (wanted) =>
    [
      '\n# Cloud SQL instances: PostgreSQL.\n',
      wanted === undefined
        ? commented({ instances: sample })
        : initYaml({ instances: Object.fromEntries(wanted.instances.map((one) => [one.id, toYaml(one)])) }),
    ].join(''),
})

function listed(name: string, values: readonly string[]): readonly string[] {
  return values.length === 0 ? [] : [`${name} ${values.join(', ')}`]
}

const sample = {
  main: { version: 'POSTGRES_15', databases: ['app'], users: { app: { password: { secret: 'db-password' } } } },
}

function toYaml({ databaseVersion, databases, users }: WantedInstance): Readonly<Record<string, unknown>> {
  const passwords = users.map(({ name, password, passwordSecret }) => [
    name,
    { password: passwordSecret === undefined ? password : { secret: passwordSecret } },
  ])
  return given({
    version: databaseVersion,
    databases: databases.length === 0 ? undefined : databases,
    users: users.length === 0 ? undefined : Object.fromEntries(passwords),
  })
}
