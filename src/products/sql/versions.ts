import { unimplemented } from '../../api/status.ts'
import { invalid } from './errors.ts'

const versions = ['9_6', '10', '11', '12', '13', '14', '15', '16', '17', '18'].map((version) => `POSTGRES_${version}`)

/** The version that Cloud SQL takes when none is asked for. */
export const defaultVersion = 'POSTGRES_18'

/** @throws CloudError UNIMPLEMENTED for MySQL and SQL Server, INVALID_ARGUMENT for what is no version */
export function checkVersion(version: string): void {
  if (versions.includes(version)) return
  if (/^(MYSQL|SQLSERVER)_/.test(version)) throw unimplemented(`the database version ${version} of Cloud SQL`)
  throw invalid(`Invalid value for: databaseVersion (${version}).`, `Use one of ${versions.join(', ')}.`)
}

/** The major version that `POSTGRES_15` asks for: 15. */
export function majorOf(version: string): number {
  return Number(version.replace('POSTGRES_', '').replace('_', '.'))
}

/** What to tell of a server of another major version than the one asked for: `POSTGRES_13 runs as PostgreSQL 18.4 here`. @param serverVersion empty before it ran */
export function differenceOf(databaseVersion: string, serverVersion: string): string | undefined {
  if (serverVersion === '' || Number.parseInt(serverVersion, 10) === Math.floor(majorOf(databaseVersion))) return undefined
  return `${databaseVersion} runs as PostgreSQL ${serverVersion} here`
}

/** @throws CloudError INVALID_ARGUMENT for a step back */
export function checkUpgrade(from: string, to: string): void {
  checkVersion(to)
  if (versions.indexOf(to) < versions.indexOf(from)) throw invalid(`Database version ${from} cannot be changed to ${to}.`)
}

/** Those that come after, newest last. */
export function upgradesOf(
  version: string,
): readonly { readonly name: string; readonly majorVersion: string; readonly displayName: string }[] {
  return versions.slice(versions.indexOf(version) + 1).map((name) => ({
    name,
    majorVersion: name,
    displayName: `PostgreSQL ${name.replace('POSTGRES_', '').replace('_', '.')}`,
  }))
}

/** `18.4` or `18` as Cloud SQL writes it: `POSTGRES_18_4`. */
export function installedVersion(serverVersion: string): string {
  return `POSTGRES_${serverVersion.replaceAll('.', '_')}`
}
