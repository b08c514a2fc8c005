import type { Caller } from '../../api/caller.ts'
import { CloudError } from '../../base/cloud-error.ts'
import type { StoredBucket, StoredObject } from '../../objects/stored.ts'
import { bucketAttributes } from './bucket-attributes.ts'
import { isUniform } from './bucket-change.ts'
import { objectAttributes } from './object-attributes.ts'
import { isPublicAccessPrevented } from './public-access.ts'

/** Roles that give allUsers a permission. Source: cloud.google.com/storage/docs/access-control/iam-roles. */
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
  'storage.objects.delete': ['legacyBucketWriter', 'legacyBucketOwner', 'objectUser', 'objectAdmin', 'admin'],
}
const aclRolesByPermission: Readonly<Record<string, readonly string[]>> = {
  'storage.objects.list': ['READER', 'WRITER', 'OWNER'],
  'storage.objects.create': ['WRITER', 'OWNER'],
  'storage.objects.delete': ['WRITER', 'OWNER'],
}

/**
 * Lets every caller with a token of this machine pass; one without only where allUsers may.
 * @param object absent for what is done to the bucket, and for an object that does not exist
 * @throws CloudError UNAUTHENTICATED
 */
export function checkAccess(caller: Caller | undefined, permission: string, bucket: StoredBucket | undefined, object?: StoredObject): void {
  if (caller !== undefined) return
  if (bucket !== undefined && isOpenToAll(permission, bucket, object)) return
  const resource = permission.startsWith('storage.objects') ? 'object' : 'bucket'
  throw new CloudError(
    'UNAUTHENTICATED',
    `Anonymous caller does not have ${permission} access to the Google Cloud Storage ${resource}. Permission '${permission}' denied on resource (or it may not exist).`,
    'Send a token, or grant allUsers roles/storage.objectViewer on the bucket.',
    { fault: 'ANONYMOUS' },
  )
}

/** Whether allUsers holds the permission, by the bucket's policy, or by lists where they still count. */
export function isOpenToAll(permission: string, bucket: StoredBucket, object?: StoredObject): boolean {
  const attributes = bucketAttributes(bucket)
  if (isPublicAccessPrevented(attributes)) return false
  const roles = (rolesByPermission[permission] ?? []).map((role) => `roles/storage.${role}`)
  const bindings = attributes.policy?.bindings ?? []
  if (bindings.some(({ role, members }) => roles.includes(role) && members.includes('allUsers'))) return true
  if (isUniform(attributes.fields)) return false
  if (permission === 'storage.objects.get') {
    return object !== undefined && objectAttributes(object).acl.some(({ entity }) => entity === 'allUsers')
  }
  return attributes.acl.some(({ entity, role }) => entity === 'allUsers' && (aclRolesByPermission[permission] ?? []).includes(role))
}
