import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CloudError } from '../base/cloud-error.ts'

/** The error for an existing cluster whose data is gone: devcloud never answers with an empty database. @param place for people: a folder or a volume */
export function dataGone(name: string, place: string): CloudError {
  const message = `The data of the Cloud SQL instance ${name} is gone: ${place} was removed or emptied.`
  const next = `Put it back, or give the instance up: gcloud sql instances delete ${idOf(name)}. Then: devcloud up`
  return new CloudError('FAILED_PRECONDITION', message, next, { fault: 'POSTGRES_DATA_GONE' })
}

/**
 * The error for data of another major version than the server's: Postgres reads data of its own version alone. The data stays as it is.
 * @param upgrade the command that dumps the data with the data's own version
 */
export function otherMajor(name: string, found: string, wanted: string, upgrade: string): CloudError {
  const message = `The data of the Cloud SQL instance ${name} is of Postgres ${found}, and its server is now of Postgres ${wanted}. It was left as it is.`
  const next = `Dump it with its own version, load the dump into a new instance: ${upgrade}`
  return new CloudError('FAILED_PRECONDITION', message, next, { fault: 'POSTGRES_MAJOR' })
}

/** The major version that wrote the data folder `data`: `15`. Undefined for a missing or an empty folder. */
export function dataMajor(data: string): string | undefined {
  const path = join(data, 'PG_VERSION')
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined
}

function idOf(name: string): string {
  return name.split(':').at(-1) ?? name
}
