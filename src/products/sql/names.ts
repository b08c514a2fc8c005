import { CloudError } from '../../base/cloud-error.ts'
import { invalid } from './errors.ts'

/** The prefix of every selfLink, whatever prefix the client used. */
export const sqlAdmin = 'https://sqladmin.googleapis.com/sql/v1beta4'

export function instanceLink(project: string, instance: string): string {
  return `${sqlAdmin}/projects/${project}/instances/${instance}`
}

export function connectionName(row: { readonly project: string; readonly region: string; readonly name: string }): string {
  return `${row.project}:${row.region}:${row.name}`
}

/** Reads `PROJECT:REGION:INSTANCE`. The project may have a domain with a colon: `example.com:p`. @throws CloudError INVALID_ARGUMENT */
export function readConnectionName(name: string): { readonly project: string; readonly region: string; readonly instance: string } {
  const [, project, region, instance] = /^(.+):([^:]+):([^:]+)$/.exec(name) ?? []
  if (project !== undefined && region !== undefined && instance !== undefined) return { project, region, instance }
  throw new CloudError('INVALID_ARGUMENT', `"${name}" is no connection name.`, 'Write PROJECT:REGION:INSTANCE.')
}

/** Lowercase letters, digits and hyphens, a letter first, at most 98 characters with the project. Source: Cloud SQL, "Create instances". */
export function checkInstanceName(project: string, name: string): void {
  if (!/^[a-z]([-a-z0-9]*[a-z0-9])?$/.test(name)) {
    throw invalid(`Invalid instance name (${name}).`, 'Use lowercase letters, digits and hyphens, a letter first and no hyphen last.')
  }
  if (`${project}:${name}`.length > 98) throw invalid(`Invalid instance name (${name}): PROJECT:INSTANCE is longer than 98 characters.`)
}

/** The old proxy and some connectors send `REGION~INSTANCE` (sql trap 15). */
export function readInstanceId(segment: string): string {
  return segment.slice(segment.indexOf('~') + 1)
}
