import { readFileSync } from 'node:fs'

/** The folder of the files that a user may copy and change; beside src/ here, beside dist/ in the package. */
const folder = new URL('../../compose/', import.meta.url)

/** What no Compose file changes. Sockets only: no port is opened. */
export const fixedSettings: Readonly<Record<string, string>> = {
  listen_addresses: '',
  unix_socket_permissions: '0777',
  password_encryption: 'scram-sha-256',
}

/** compose/postgres.yaml says the same for containers; test/postgres/compose-file.test.ts holds them together. */
export const usualSettings: Readonly<Record<string, string>> = {
  shared_buffers: '32MB',
  max_connections: '200',
  timezone: 'UTC',
  log_timezone: 'UTC',
}

/**
 * Roles and their rights as Cloud SQL hands them out: its superuser is `cloudsqladmin`; `postgres` and every user made later are members of
 * `cloudsqlsuperuser`, which is none. Contract: sql-iam-terraform.md 1.2.
 */
export function initialSql(): string {
  return readFileSync(new URL('postgres.sql', folder), 'utf8')
}

/** devcloud's own compose/postgres.yaml. */
export function standardCompose(): string {
  return readFileSync(new URL('postgres.yaml', folder), 'utf8')
}

/** As lines of postgresql.conf. */
export function settingLines(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name} = '${value}'\n`)
    .join('')
}

/** As words of a command line. */
export function settingWords(settings: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}
