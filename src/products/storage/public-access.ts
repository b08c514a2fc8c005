import { CloudError } from '../../base/cloud-error.ts'
import type { AclEntry } from './acl.ts'
import type { BucketAttributes } from './bucket-attributes.ts'

const everybody = ['allUsers', 'allAuthenticatedUsers']

export function isPublicAccessPrevented({ fields }: Pick<BucketAttributes, 'fields'>): boolean {
  return fields.iamConfiguration?.publicAccessPrevention === 'enforced'
}

/** @throws CloudError CONDITION_NOT_MET for members of everybody. Source: cloud.google.com/storage/docs/public-access-prevention */
export function checkNotPublic(attributes: Pick<BucketAttributes, 'fields'>, members: readonly string[]): void {
  if (!isPublicAccessPrevented(attributes) || !members.some((member) => everybody.includes(member))) return
  throw new CloudError(
    'FAILED_PRECONDITION',
    'The member bindings allUsers and allAuthenticatedUsers are not allowed since public access prevention is enforced.',
    'Set publicAccessPrevention to inherited, or leave these members out.',
    { fault: 'CONDITION_NOT_MET' },
  )
}

/** The same for lists: only what is new is refused, since lists that are there already merely have no effect. */
export function checkListNotPublic(
  attributes: Pick<BucketAttributes, 'fields'>,
  acl: readonly AclEntry[],
  before: readonly AclEntry[] = [],
): void {
  const known = before.map(({ entity }) => entity)
  checkNotPublic(attributes, acl.map(({ entity }) => entity).filter((entity) => !known.includes(entity))) // prettier-ignore
}
