import pg from 'pg'
import { CloudError } from '../base/cloud-error.ts'
import type { Home } from './home.ts'
import { withAdmin } from './server.ts'

/** A running server, with the operations that Cloud SQL's Admin API needs. */
export interface Cluster {
  readonly name: string
  readonly socketDirectory: string
  /** The version that the server answers: `15.13`. */
  version(): Promise<string>
  /** The databases that a client sees, without templates. */
  databases(): Promise<readonly Database[]>
  /** Makes a database that cloudsqlsuperuser owns, so that each API user may make tables (sql trap 22). @throws CloudError ALREADY_EXISTS */
  createDatabase(name: string, charset: string | undefined): Promise<void>
  /** Removes a database and cuts its sessions. @throws CloudError NOT_FOUND */
  dropDatabase(name: string): Promise<void>
  users(): Promise<readonly string[]>
  /** Makes the user, or changes the user's password. Without a password: a new user gets none, an existing user keeps the old one. */
  putUser(name: string, password: string | undefined): Promise<void>
  /** @throws CloudError NOT_FOUND, or FAILED_PRECONDITION while the user owns objects */
  dropUser(name: string): Promise<void>
}

export interface Database {
  readonly name: string
  /** As Cloud SQL names it: `UTF8`. `collation` is `en_US.UTF8`. */
  readonly charset: string
  readonly collation: string
}

export function clusterOf(home: Home, name: string, socketDirectory: string): Cluster {
  const admin = <T>(work: (client: pg.Client) => Promise<T>) => withAdmin(home, socketDirectory, 'template1', work)
  const exists = async (client: pg.Client, query: string, value: string) => ((await client.query(query, [value])).rowCount ?? 0) > 0
  return {
    name,
    socketDirectory,
    version: () =>
      admin(async (client) => {
        const { rows } = await client.query<{ readonly server_version: string }>('SHOW server_version')
        return rows[0]?.server_version.split(' ')[0] ?? '' // 15.13 (Debian 15.13-0+deb12u1)
      }),
    databases: () =>
      admin(async (client) => {
        const { rows } = await client.query<{ name: string }>(
          'SELECT datname AS name FROM pg_database WHERE NOT datistemplate ORDER BY datname',
        )
        return rows.map((row) => ({ name: row.name, charset: 'UTF8', collation: 'en_US.UTF8' }))
      }),
    createDatabase: (database, charset) =>
      admin(async (client) => {
        if (await exists(client, 'SELECT FROM pg_database WHERE datname = $1', database)) {
          throw new CloudError('ALREADY_EXISTS', `database "${database}" already exists`, 'Choose another name.')
        }
        if (charset !== undefined && !/^utf-?8$/i.test(charset)) {
          throw new CloudError('INVALID_ARGUMENT', `Charset ${charset} is not emulated.`, 'Use UTF8.')
        }
        await client.query(`CREATE DATABASE ${pg.escapeIdentifier(database)} OWNER cloudsqlsuperuser TEMPLATE template0 ENCODING 'UTF8'`)
      }),
    dropDatabase: (database) =>
      admin(async (client) => {
        if (!(await exists(client, 'SELECT FROM pg_database WHERE datname = $1', database))) {
          throw new CloudError('NOT_FOUND', `database "${database}" does not exist`, 'gcloud sql databases list --instance=INSTANCE')
        }
        await client.query(`DROP DATABASE ${pg.escapeIdentifier(database)} WITH (FORCE)`)
      }),
    users: () =>
      admin(async (client) => {
        const { rows } = await client.query<{ name: string }>(
          "SELECT rolname AS name FROM pg_roles WHERE rolcanlogin AND rolname NOT LIKE 'cloudsql%' ORDER BY rolname",
        )
        return rows.map((row) => row.name)
      }),
    putUser: (user, password) =>
      admin(async (client) => {
        if (/^(cloudsql|pg_)/.test(user))
          throw new CloudError('INVALID_ARGUMENT', `The user name "${user}" is reserved.`, 'Choose another name.')
        const known = await exists(client, 'SELECT FROM pg_roles WHERE rolname = $1', user)
        const secret = password === undefined ? '' : ` PASSWORD ${pg.escapeLiteral(password)}`
        if (known) await client.query(`ALTER ROLE ${pg.escapeIdentifier(user)} LOGIN${secret}`)
        else await client.query(`CREATE ROLE ${pg.escapeIdentifier(user)} LOGIN CREATEDB CREATEROLE IN ROLE cloudsqlsuperuser${secret}`)
      }),
    dropUser: (user) =>
      admin(async (client) => {
        if (!(await exists(client, 'SELECT FROM pg_roles WHERE rolname = $1', user))) {
          throw new CloudError('NOT_FOUND', `role "${user}" does not exist`, 'gcloud sql users list --instance=INSTANCE')
        }
        await client.query(`DROP ROLE ${pg.escapeIdentifier(user)}`)
      }),
  }
}
