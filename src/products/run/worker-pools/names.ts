import { CloudError } from '../../../base/cloud-error.ts'

/** The parts of `projects/P/locations/R/workerPools/W`. */
export interface PoolName {
  readonly project: string
  readonly region: string
  readonly pool: string
}

/** Version 1 writes `workerpools`. @throws CloudError INVALID_ARGUMENT when `name` has another form */
export function readPoolName(name: string): PoolName {
  const [, project, region, pool] = /^projects\/([^/]+)\/locations\/([^/]+)\/worker[Pp]ools\/([^/]+)$/.exec(name) ?? []
  if (project !== undefined && region !== undefined && pool !== undefined) return { project, region, pool }
  throw new CloudError(
    'INVALID_ARGUMENT',
    `"${name}" is not a worker pool's name.`,
    'Write projects/PROJECT/locations/REGION/workerPools/POOL.',
  )
}

/** @throws CloudError INVALID_ARGUMENT. A letter first, then letters, digits and hyphens, fewer than 50 in all (CreateWorkerPoolRequest). */
export function checkPoolId(id: string): void {
  if (/^[a-z]([a-z0-9-]{0,47}[a-z0-9])?$/.test(id)) return
  throw new CloudError(
    'INVALID_ARGUMENT',
    `Violation in CreateWorkerPoolRequest.worker_pool_id: "${id}" must begin with a letter, hold only lower case letters, digits and hyphens, not end with a hyphen, and be shorter than 50 characters.`,
    'Choose such an id.',
  )
}
