import { isRecord } from '../../../base/is-record.ts'
import { checkProject } from '../../../api/names.ts'
import { readPageToken, toPageToken } from '../../../objects/page-token.ts'
import { bucketNotFound } from '../../../objects/object-faults.ts'
import { checkPreconditions } from '../../../objects/preconditions.ts'
import type { StoredBucket } from '../../../objects/stored.ts'
import { hasAccess } from '../access.ts'
import { bucketAttributes } from '../bucket-attributes.ts'
import { bucketKeys } from '../bucket-fields.ts'
import { policyAsAsked } from '../bucket-policy.ts'
import { toBucketResource, type View } from '../bucket-resource.ts'
import { invalid, required } from '../names.ts'
import type { Call } from './call.ts'
import type { Handler } from './handler.ts'
import type { Parts } from './parts.ts'
import type { Route } from './route-table.ts'

/** Methods of buckets and their policies. Source: cloud.google.com/storage/docs/json_api/v1/buckets. */
export function bucketRoutes({ store, buckets, project }: Parts): readonly Route<Handler>[] {
  const resource = (bucket: StoredBucket, view: View) => toBucketResource(bucket, buckets.projectNumber(bucket), view)
  /** A list of what cannot be made here. */
  const noneOf = (collection: string, permission: string, kind: string): Route<Handler> => ({
    verb: 'GET',
    path: `b/:bucket/${collection}`,
    handle(call) {
      call.allow(permission, call.param('bucket'))
      store.bucket(call.param('bucket'))
      return { kind }
    },
  })
  const predefined = (call: Call) => ({ acl: call.text('predefinedAcl'), defaultObjectAcl: call.text('predefinedDefaultObjectAcl') })
  return [
    {
      verb: 'POST',
      path: 'b',
      async handle(call) {
        call.allowInProject('storage.buckets.create', requireProject(call))
        const input = await call.json(bucketKeys)
        const wanted = isRecord(input) && call.flag('enableObjectRetention') ? { ...input, objectRetention: { mode: 'Enabled' } } : input
        const made = await buckets.insert(requireProject(call), wanted, predefined(call), call.caller)
        return resource(made, call.view())
      },
    },
    {
      verb: 'GET',
      path: 'b',
      async handle(call) {
        call.allowInProject('storage.buckets.list', requireProject(call))
        const after = readPageToken(call.text('pageToken') ?? toPageToken({ name: Buffer.from(''), generation: undefined }))
        if (after === undefined) throw invalid('Invalid argument.', 'Send a pageToken that a list gave.')
        const page = buckets.list(requireProject(call), call.text('prefix') ?? '', after.name.toString(), pageSize(call))
        const last = page.items.at(-1)
        const view = call.view()
        const items: object[] = []
        for (const bucket of page.items) {
          items.push(resource(bucket, view))
          if (call.turn.isOver) await call.turn.next()
        }
        return {
          kind: 'storage#buckets',
          ...(page.hasMore && last && { nextPageToken: toPageToken({ name: Buffer.from(last.name), generation: undefined }) }),
          ...(items.length > 0 && { items }),
        }
      },
    },
    {
      verb: 'GET',
      path: 'b/:bucket',
      handle(call) {
        call.allow('storage.buckets.get', call.param('bucket'))
        const bucket = store.bucket(call.param('bucket'))
        if ((call.integer('generation') ?? bucket.generation) !== bucket.generation) throw bucketNotFound()
        checkPreconditions(metaOnly(call), bucket)
        return resource(bucket, call.view())
      },
    },
    {
      verb: 'PATCH',
      path: 'b/:bucket',
      async handle(call) {
        call.allow('storage.buckets.update', call.param('bucket'))
        const made = await buckets.patch(call.param('bucket'), await call.patch(bucketKeys), predefined(call), metaOnly(call))
        return resource(made, call.view('full'))
      },
    },
    {
      verb: 'PUT',
      path: 'b/:bucket',
      async handle(call) {
        call.allow('storage.buckets.update', call.param('bucket'))
        const made = await buckets.update(call.param('bucket'), await call.json(bucketKeys), predefined(call), metaOnly(call))
        return resource(made, call.view('full'))
      },
    },
    {
      verb: 'DELETE',
      path: 'b/:bucket',
      async handle(call) {
        call.allow('storage.buckets.delete', call.param('bucket'))
        await store.removeBucket(call.param('bucket'), metaOnly(call))
        return undefined
      },
    },
    {
      verb: 'POST',
      path: 'b/:bucket/lockRetentionPolicy',
      async handle(call) {
        call.allow('storage.buckets.update', call.param('bucket'))
        if (call.text('ifMetagenerationMatch') === undefined) throw required('ifMetagenerationMatch')
        return resource(await buckets.lockRetention(call.param('bucket'), metaOnly(call)), call.view('full'))
      },
    },
    {
      verb: 'GET',
      path: 'b/:bucket/iam',
      handle(call) {
        call.allow('storage.buckets.getIamPolicy', call.param('bucket'))
        const bucket = store.bucket(call.param('bucket'))
        const policy = policyAsAsked(buckets.policy(bucket), call.integer('optionsRequestedPolicyVersion') ?? 1)
        return { kind: 'storage#policy', resourceId: `projects/_/buckets/${bucket.name}`, ...policy }
      },
    },
    {
      verb: 'PUT',
      path: 'b/:bucket/iam',
      async handle(call) {
        call.allow('storage.buckets.setIamPolicy', call.param('bucket'))
        const name = call.param('bucket')
        const policy = await buckets.setPolicy(name, await call.json())
        return { kind: 'storage#policy', resourceId: `projects/_/buckets/${name}`, ...policy }
      },
    },
    {
      verb: 'GET',
      path: 'b/:bucket/iam/testPermissions',
      handle(call) {
        const bucket = store.bucket(call.param('bucket'))
        const asked = call.query.getAll('permissions')
        if (asked.length === 0) throw required('permissions')
        const wrong = asked.find((permission) => !/^storage\.[a-zA-Z]+\.[a-zA-Z]+$/.test(permission))
        if (wrong !== undefined) throw invalid(`Invalid permission: ${wrong.slice(0, 200)}`, 'Name permissions of Storage.')
        const permissions = asked.filter((permission) => hasAccess(call.asker, permission, bucket))
        return { kind: 'storage#testIamPermissionsResponse', ...(permissions.length > 0 && { permissions }) }
      },
    },
    {
      verb: 'GET',
      path: 'b/:bucket/storageLayout',
      handle(call) {
        call.allow('storage.buckets.get', call.param('bucket'))
        const bucket = store.bucket(call.param('bucket'))
        const { location, locationType } = resource(bucket, call.view())
        const { hierarchicalNamespace } = bucketAttributes(bucket).fields
        return {
          kind: 'storage#storageLayout',
          bucket: bucket.name,
          location,
          locationType,
          ...(hierarchicalNamespace !== undefined && { hierarchicalNamespace }),
        }
      },
    },
    noneOf('managedFolders', 'storage.managedFolders.list', 'storage#managedFolders'), // gcloud storage rm -r asks before it removes a bucket
    noneOf('notificationConfigs', 'storage.buckets.get', 'storage#notifications'),
    {
      verb: 'GET', // none can be made
      path: 'projects/:project/hmacKeys',
      handle(call) {
        call.allowInProject('storage.hmacKeys.list', call.param('project'))
        return { kind: 'storage#hmacKeysMetadata' }
      },
    },
    {
      verb: 'GET',
      path: 'projects/:project/serviceAccount',
      handle(call) {
        checkProject(call.param('project'))
        call.allowInProject('resourcemanager.projects.get', call.param('project'))
        const { number } = project(call.param('project'))
        return { kind: 'storage#serviceAccount', email_address: `service-${number}@gs-project-accounts.iam.gserviceaccount.com` }
      },
    },
  ]
}

/** How many a page has, 1000 where nothing is said, and at most. */
export function pageSize(call: Call): number {
  return Math.min(call.integer('maxResults') || 1000, 1000)
}

function requireProject(call: Call): string {
  const project = call.text('project')
  if (project === undefined) throw required('project')
  checkProject(project)
  return project
}

/** A bucket's own generation is no condition. */
function metaOnly(call: Call) {
  const { ifMetagenerationMatch, ifMetagenerationNotMatch } = call.preconditions()
  return { ifMetagenerationMatch, ifMetagenerationNotMatch }
}
