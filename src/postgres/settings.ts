import { readFileSync } from 'node:fs'

/** The folder with the files that a user may copy and change. It is beside src/ in the repository and beside dist/ in the package. */
const folder = new URL('../../compose/', import.meta.url)

/** Settings that no Compose file changes. The server listens on sockets only and opens no port. */
export const fixedSettings: Readonly<Record<string, string>> = {
  listen_addresses: '',
  unix_socket_permissions: '0777',
  password_encryption: 'scram-sha-256',
}

/** Settings that compose/postgres.yaml repeats for containers; test/postgres/compose-file.test.ts compares the two. */
export const usualSettings: Readonly<Record<string, string>> = {
  shared_buffers: '32MB',
  max_connections: '200',
  timezone: 'UTC',
  log_timezone: 'UTC',
}

/**
 * The SQL for the roles of Cloud SQL. The superuser is `cloudsqladmin`. `postgres` and every later user are members of `cloudsqlsuperuser`, which is no
 * superuser. Source: sql traps 22, 23.
 */
export function initialSql(): string {
  return readFileSync(new URL('postgres.sql', folder), 'utf8')
}

/** devcloud's own compose/postgres.yaml. */
export function standardCompose(): string {
  return readFileSync(new URL('postgres.yaml', folder), 'utf8')
}

/** Settings as lines of postgresql.conf. */
export function settingLines(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name} = '${value}'\n`)
    .join('')
}

/** Settings as words of a command line. */
export function settingWords(settings: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}
