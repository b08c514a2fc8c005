import { isAccount } from '../../api/borders.ts'
import type { Caller } from '../../api/caller.ts'
import { CloudError } from '../../base/cloud-error.ts'
import type { StoredBucket, StoredObject } from '../../objects/stored.ts'
import { bucketAttributes } from './bucket-attributes.ts'
import { isUniform } from './bucket-change.ts'
import { objectAttributes } from './object-attributes.ts'
import { isPublicAccessPrevented } from './public-access.ts'

/** Roles that give a permission. Source: cloud.google.com/storage/docs/access-control/iam-roles. */
const rolesByPermission: Readonly<Record<string, readonly string[]>> = {
  'storage.objects.get': ['objectViewer', 'legacyObjectReader', 'legacyObjectOwner', 'objectUser', 'objectAdmin', 'admin'],
  'storage.objects.list': [
    'objectViewer',
    'legacyBucketReader',
    'legacyBucketWriter',
    'legacyBucketOwner',
    'objectUser',
    'objectAdmin',
    'admin',
  ],
  'storage.objects.create': ['objectCreator', 'legacyBucketWriter', 'legacyBucketOwner', 'objectUser', 'objectAdmin', 'admin'],
  'storage.objects.update': ['legacyObjectOwner', 'objectUser', 'objectAdmin', 'admin'],
  'storage.objects.delete': ['legacyBucketWriter', 'legacyBucketOwner', 'objectUser', 'objectAdmin', 'admin'],
  'storage.buckets.get': ['legacyBucketReader', 'legacyBucketWriter', 'legacyBucketOwner', 'admin'],
  'storage.buckets.update': ['legacyBucketOwner', 'admin'],
}
const aclRolesByPermission: Readonly<Record<string, readonly string[]>> = {
  'storage.objects.list': ['READER', 'WRITER', 'OWNER'],
  'storage.objects.create': ['WRITER', 'OWNER'],
  'storage.objects.delete': ['WRITER', 'OWNER'],
}

/** Who asks, and whether the bucket's project is their own. */
export interface Asker {
  readonly caller: Caller | undefined
  isAtHome(project: string): boolean
  /** The bindings of a project's own policy. */
  projectBindings(project: string): readonly Bindings[]
}

export interface Bindings {
  readonly role: string
  readonly members: readonly string[]
  /** It is not evaluated: a binding with one lets nobody in. */
  readonly condition?: object | undefined
}

/**
 * Lets a caller of the bucket's own project pass; one of another project where a policy or a list names it; one without a name where allUsers may.
 * @param object absent for what is done to the bucket, and for an object that does not exist
 * @throws CloudError UNAUTHENTICATED, PERMISSION_DENIED
 */
export function checkAccess(asker: Asker, permission: string, bucket: StoredBucket | undefined, object?: StoredObject): void {
  if (hasAccess(asker, permission, bucket, object)) return
  const resource = permission.startsWith('storage.objects') ? 'object' : 'bucket'
  const words = `does not have ${permission} access to the Google Cloud Storage ${resource}. Permission '${permission}' denied on resource (or it may not exist).`
  if (asker.caller !== undefined) {
    const { email } = asker.caller
    const next = `${email} is of another project: gcloud storage buckets add-iam-policy-binding gs://${bucket?.name} --member=serviceAccount:${email} --role=roles/storage.objectViewer`
    throw new CloudError('PERMISSION_DENIED', `${email} ${words}`, next, { fault: 'FORBIDDEN' })
  }
  throw new CloudError(
    'UNAUTHENTICATED',
    `Anonymous caller ${words}`,
    'Send a token, or grant allUsers roles/storage.objectViewer on the bucket.',
    { fault: 'ANONYMOUS' },
  )
}

export function hasAccess(
  { caller, isAtHome, projectBindings }: Asker,
  permission: string,
  bucket: StoredBucket | undefined,
  object?: StoredObject,
): boolean {
  if (bucket === undefined) return caller !== undefined
  if (isOpenToAll(permission, bucket, object)) return true
  if (caller === undefined) return false
  if (isAtHome(bucket.project)) return true
  const others = projectBindings(bucket.project).filter(({ role }) => role.startsWith('roles/storage.'))
  return isGivenTo((told) => isAccount(caller, told), `user-${caller.email}`, permission, bucket, object, others)
}

/** Whether the caller may do what is asked of a project as a whole: at home, or as a storage.admin of it. */
export function mayInProject({ caller, isAtHome, projectBindings }: Asker, project: string): boolean {
  if (caller === undefined) return false
  if (isAtHome(project)) return true
  return projectBindings(project).some(
    ({ role, members, condition }) =>
      condition === undefined && role === 'roles/storage.admin' && members.some((told) => isAccount(caller, told)),
  )
}

/** Whether allUsers holds the permission, by the bucket's policy, or by lists where they still count. */
export function isOpenToAll(permission: string, bucket: StoredBucket, object?: StoredObject): boolean {
  if (isPublicAccessPrevented(bucketAttributes(bucket))) return false
  return isGivenTo((told) => told === 'allUsers', 'allUsers', permission, bucket, object, [])
}

/** @param entity as lists write the member @param more bindings beside the bucket's own */
function isGivenTo(
  isMember: (told: string) => boolean,
  entity: string,
  permission: string,
  bucket: StoredBucket,
  object: StoredObject | undefined,
  more: readonly Bindings[],
): boolean {
  const attributes = bucketAttributes(bucket)
  const roles = (rolesByPermission[permission] ?? ['admin']).map((role) => `roles/storage.${role}`)
  const bindings: readonly Bindings[] = [...(attributes.policy?.bindings ?? []), ...more]
  if (bindings.some(({ role, members, condition }) => condition === undefined && roles.includes(role) && members.some(isMember)))
    return true
  if (isUniform(attributes.fields)) return false
  if (permission === 'storage.objects.get') {
    return object !== undefined && objectAttributes(object).acl.some((one) => one.entity === entity)
  }
  return attributes.acl.some((one) => one.entity === entity && (aclRolesByPermission[permission] ?? []).includes(one.role))
}
