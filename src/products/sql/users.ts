import * as z from 'zod'
import { CloudError, messageOf } from '../../base/cloud-error.ts'
import { unimplemented } from '../../api/status.ts'
import { invalid } from './errors.ts'
import { etagOf } from './etags.ts'
import type { Instances } from './instances.ts'
import type { SqlOperation, SqlOperations } from './operations.ts'
import type { Json } from './json.ts'

export interface Users {
  /** Gives a user that is there the password, as Cloud SQL does: Terraform sets that of `postgres` so. */
  insert(project: string, instance: string, body: unknown, user: string): Promise<SqlOperation>
  get(project: string, instance: string, name: string): Promise<Json>
  list(project: string, instance: string): Promise<readonly Json[]>
  /** @param name of the query; the body's counts without one */
  update(project: string, instance: string, name: string, body: unknown, user: string): Promise<SqlOperation>
  delete(project: string, instance: string, name: string, user: string): Promise<SqlOperation>
}

const bodySchema = z.looseObject({
  name: z.string().default(''),
  password: z.string().optional(),
  type: z.string().default(''),
  databaseRoles: z.array(z.string()).nullish(),
})

/** Users live in the server alone, passwords as its hashes. The host of a request is ignored, as for every Postgres instance. */
export function openUsers(instances: Instances, operations: SqlOperations): Users {
  const names = (project: string, instance: string) => instances.inside(project, instance, (cluster) => cluster.users())
  const require = async (project: string, instance: string, name: string) => {
    if ((await names(project, instance)).includes(name)) return
    throw new CloudError('NOT_FOUND', `User ${name} does not exist.`, `gcloud sql users list --instance ${instance}`)
  }
  return {
    async insert(project, instance, body, user) {
      const { name, password } = readBody(body)
      checkName(name)
      const put = () => instances.inside(project, instance, (cluster) => cluster.putUser(name, password))
      return operations.perform({ type: 'CREATE_USER', project, instance, user }, put)
    },
    async get(project, instance, name) {
      await require(project, instance, name)
      return toUser(project, instance, name)
    },
    list: async (project, instance) => (await names(project, instance)).map((name) => toUser(project, instance, name)),
    async update(project, instance, name, body, user) {
      const sent = readBody(body)
      const target = name || sent.name
      checkName(target)
      await require(project, instance, target)
      const put = () => instances.inside(project, instance, (cluster) => cluster.putUser(target, sent.password))
      return operations.perform({ type: 'UPDATE_USER', project, instance, user }, put)
    },
    async delete(project, instance, name, user) {
      checkName(name)
      await require(project, instance, name)
      const drop = () => instances.inside(project, instance, (cluster) => cluster.dropUser(name))
      return operations.perform({ type: 'DELETE_USER', project, instance, user }, async () => {
        try {
          await drop()
        } catch (error) {
          if (!(error instanceof CloudError) || error.fault !== 'SQL_FAILED') throw error
          throw invalid(`failed to delete user ${name}: . ${messageOf(error)}.`, 'Drop or reassign what it owns first.', error)
        }
      })
    },
  }
}

function readBody(body: unknown): z.infer<typeof bodySchema> {
  const read = bodySchema.safeParse(body ?? {})
  if (!read.success) throw invalid(`The user is not well formed: ${read.error.issues[0]?.path.join('.') ?? ''}.`)
  const { type, databaseRoles } = read.data
  if (type !== '' && type !== 'BUILT_IN') throw unimplemented(`users of the type ${type} in Cloud SQL`)
  const role = databaseRoles?.find((name) => name !== 'cloudsqlsuperuser')
  if (role !== undefined) throw unimplemented(`the database role ${role} for users of Cloud SQL`)
  return read.data
}

/** Postgres keeps 63 bytes of a name. Names of Cloud SQL's own roles are refused by the server's room. */
function checkName(name: string): void {
  if (name === '') throw invalid('Missing parameter: name.')
  if (Buffer.byteLength(name) > 63 || name.includes('\0')) throw invalid(`Invalid user name (${name}).`)
}

function toUser(project: string, instance: string, name: string): Json {
  const user = { kind: 'sql#user', name, host: '', instance, project, type: 'BUILT_IN' }
  return { ...user, etag: etagOf(user) }
}
