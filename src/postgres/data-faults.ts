import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CloudError } from '../base/cloud-error.ts'

/** The data of a cluster that was made is not where it was: never answered with an empty one. @param place for people: a folder or a volume */
export function dataGone(name: string, place: string): CloudError {
  const message = `The data of the Cloud SQL instance ${name} is gone: ${place} was removed or emptied.`
  const next = `Put it back, or give the instance up: gcloud sql instances delete ${idOf(name)}. Then: devcloud up`
  return new CloudError('FAILED_PRECONDITION', message, next, { fault: 'POSTGRES_DATA_GONE' })
}

/**
 * Postgres reads the data of its own major version alone. Nothing was touched.
 * @param upgrade what dumps it with its own version, to load it into a new instance
 */
export function otherMajor(name: string, found: string, wanted: string, upgrade: string): CloudError {
  const message = `The data of the Cloud SQL instance ${name} is of Postgres ${found}, and its server is now of Postgres ${wanted}. It was left as it is.`
  const next = `Dump it with its own version, load the dump into a new instance: ${upgrade}`
  return new CloudError('FAILED_PRECONDITION', message, next, { fault: 'POSTGRES_MAJOR' })
}

/** The major version that wrote the data folder `data`: `15`. Undefined where there is none, or nothing in it. */
export function dataMajor(data: string): string | undefined {
  const path = join(data, 'PG_VERSION')
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined
}

function idOf(name: string): string {
  return name.split(':').at(-1) ?? name
}
