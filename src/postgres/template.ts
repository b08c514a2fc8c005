import { execFile } from 'node:child_process'
import { appendFileSync, chownSync, existsSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { CloudError, messageOf } from '../base/cloud-error.ts'
import { makeOwned, type Home } from './home.ts'
import { startServer, stopServer, withAdmin } from './server.ts'

const run = promisify(execFile)

/**
 * A data folder as Cloud SQL hands it out, made once: a new cluster is a copy of it. Its superuser is `cloudsqladmin`; `postgres` and every user made
 * later are members of `cloudsqlsuperuser`, which is none. Contract: sql-iam-terraform.md 1.2.
 */
export async function dataTemplate(home: Home, binaries: string, signal: AbortSignal): Promise<string> {
  const target = join(home.directory, 'template')
  if (existsSync(target)) return target
  const building = `${target}.new`
  rmSync(building, { recursive: true, force: true })
  makeOwned(home, building, 0o700)
  const passwordFile = join(building, '..', 'template-password')
  writeFileSync(passwordFile, home.adminPassword, { mode: 0o600 })
  if (home.owner !== undefined) chownSync(passwordFile, home.owner.uid, home.owner.gid)
  try {
    // prettier-ignore
    const flags = ['-U', 'cloudsqladmin', '--pwfile', passwordFile, '--auth=md5', '--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--no-sync', '--no-instructions']
    await run(join(binaries, 'bin/initdb'), ['-D', building, ...flags], {
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', LD_LIBRARY_PATH: join(binaries, 'lib') },
      signal,
      cwd: '/',
      ...home.owner,
    })
  } catch (error) {
    throw new CloudError('INTERNAL', `initdb failed: ${messageOf(error)}`, 'devcloud doctor', { cause: error, fault: 'POSTGRES_FAILED' })
  } finally {
    rmSync(passwordFile, { force: true })
  }
  appendFileSync(join(building, 'postgresql.conf'), settings)
  const sockets = makeOwned(home, join(home.directory, 't'), 0o755)
  await startServer(home, binaries, building, sockets, join(home.directory, 'template.log'), signal)
  await withAdmin(home, sockets, 'template1', async (client) => {
    for (const statement of roles) await client.query(statement)
  })
  await stopServer(building, signal)
  rmSync(sockets, { recursive: true, force: true })
  renameSync(building, target)
  return target
}

/** Sockets only: no port is opened. md5 in pg_hba takes scram passwords too. */
const settings = `
listen_addresses = ''
unix_socket_permissions = 0777
password_encryption = scram-sha-256
shared_buffers = 32MB
max_connections = 200
timezone = 'UTC'
log_timezone = 'UTC'
`

const roles = [
  'CREATE ROLE cloudsqlsuperuser NOLOGIN CREATEDB CREATEROLE',
  'GRANT pg_monitor, pg_signal_backend, pg_read_all_stats TO cloudsqlsuperuser WITH ADMIN OPTION',
  'CREATE ROLE postgres LOGIN CREATEDB CREATEROLE IN ROLE cloudsqlsuperuser',
  'ALTER DATABASE postgres OWNER TO cloudsqlsuperuser',
  'GRANT ALL ON DATABASE template1 TO cloudsqlsuperuser',
]
