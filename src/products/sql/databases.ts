import * as z from 'zod'
import { CloudError, messageOf } from '../../base/cloud-error.ts'
import type { Database } from '../../postgres/cluster.ts'
import { unimplemented } from '../../api/status.ts'
import { invalid } from './errors.ts'
import type { Instances } from './instances.ts'
import { instanceLink } from './names.ts'
import type { SqlOperation, SqlOperations } from './operations.ts'
import { etagOf } from './etags.ts'
import type { Json } from './json.ts'

export interface Databases {
  insert(project: string, instance: string, body: unknown, user: string): Promise<SqlOperation>
  get(project: string, instance: string, database: string): Promise<Json>
  list(project: string, instance: string): Promise<readonly Json[]>
  /** PATCH and PUT. A database of Postgres keeps its charset and collation. */
  change(project: string, instance: string, database: string, body: unknown, user: string): Promise<SqlOperation>
  delete(project: string, instance: string, database: string, user: string): Promise<SqlOperation>
}

const bodySchema = z.looseObject({
  name: z.string().default(''),
  charset: z.string().default(''),
  collation: z.string().default(''),
})

/** The server alone knows the databases: a database that SQL made is listed too, and one that SQL dropped is gone. */
export function openDatabases(instances: Instances, operations: SqlOperations): Databases {
  const find = (project: string, instance: string, database: string): Promise<Database> =>
    instances.inside(project, instance, async (cluster) => {
      const found = (await cluster.databases()).find(({ name }) => name === database)
      if (found === undefined) throw new CloudError('NOT_FOUND', 'Not Found', `gcloud sql databases list --instance ${instance}`)
      return found
    })
  return {
    async insert(project, instance, body, user) {
      const { name, charset, collation } = readBody(body)
      checkName(name)
      if (charset !== '' && !/^utf-?8$/i.test(charset)) throw unimplemented(`the charset ${charset} of Cloud SQL databases`)
      if (collation !== '' && !isDefaultCollation(collation)) throw unimplemented(`the collation ${collation} of Cloud SQL databases`)
      const create = () =>
        instances.inside(project, instance, (cluster) => cluster.createDatabase(name, charset === '' ? undefined : charset))
      return operations.perform({ type: 'CREATE_DATABASE', project, instance, user }, () => told(`create database ${name}`, create))
    },
    get: async (project, instance, database) => toDatabase(project, instance, await find(project, instance, database)),
    list: (project, instance) =>
      instances.inside(project, instance, async (cluster) =>
        (await cluster.databases()).map((database) => toDatabase(project, instance, database)),
      ),
    async change(project, instance, database, body, user) {
      const { name, charset, collation } = readBody(body)
      const found = await find(project, instance, database)
      if (name !== '' && name !== database) throw invalid(`The name of a database cannot be changed (${database} to ${name}).`)
      if (charset !== '' && charset.toUpperCase() !== found.charset)
        throw invalid(`The charset of a database cannot be changed to ${charset}.`)
      if (collation !== '' && !isDefaultCollation(collation))
        throw invalid(`The collation of a database cannot be changed to ${collation}.`)
      return operations.perform({ type: 'UPDATE_DATABASE', project, instance, user }, async () => {})
    },
    async delete(project, instance, database, user) {
      if (database === 'postgres') throw invalid('The database "postgres" cannot be deleted.')
      await find(project, instance, database)
      const drop = () => instances.inside(project, instance, (cluster) => cluster.dropDatabase(database))
      return operations.perform({ type: 'DELETE_DATABASE', project, instance, user }, () => told(`delete database ${database}`, drop))
    },
  }
}

/** Translates a refusal of the server to 400, as Cloud SQL does: a 409 would make Terraform try again. Source: provider issues, `failed to create database`. */
async function told(what: string, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof CloudError) || (error.fault !== undefined && error.fault !== 'SQL_FAILED')) throw error
    throw invalid(`failed to ${what}. Detail: pq: ${messageOf(error)}.`, error.next, error)
  }
}

function readBody(body: unknown): z.infer<typeof bodySchema> {
  const read = bodySchema.safeParse(body ?? {})
  if (!read.success) throw invalid(`The database is not well formed: ${read.error.issues[0]?.path.join('.') ?? ''}.`)
  return read.data
}

/** Checks the length of a name: Postgres keeps 63 bytes. */
function checkName(name: string): void {
  if (name === '') throw invalid('Missing parameter: name.')
  if (Buffer.byteLength(name) > 63 || name.includes('\0')) throw invalid(`Invalid database name (${name}).`)
  if (['cloudsqladmin', 'template0', 'template1'].includes(name)) throw invalid(`The database name "${name}" is reserved.`)
}

function isDefaultCollation(collation: string): boolean {
  return /^en_US\.utf-?8$/i.test(collation)
}

function toDatabase(project: string, instance: string, { name, charset, collation }: Database): Json {
  const database = { kind: 'sql#database', name, charset, collation, instance, project }
  return { ...database, etag: etagOf(database), selfLink: `${instanceLink(project, instance)}/databases/${encodeURIComponent(name)}` }
}
