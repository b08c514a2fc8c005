import { isRecord } from '../../../base/is-record.ts'
import { checkPreconditions } from '../../../objects/preconditions.ts'
import type { StoredBucket, StoredObject } from '../../../objects/stored.ts'
import { entryOf, withEntry, withoutEntry, type AclEntry } from '../acl.ts'
import { bucketAttributes } from '../bucket-attributes.ts'
import { toBucketAcl, toEtag } from '../bucket-resource.ts'
import { checkListsCount } from '../buckets.ts'
import { objectAttributes } from '../object-attributes.ts'
import { toObjectAcl } from '../object-resource.ts'
import { originOf, type Call } from './call.ts'
import type { Handler } from './handler.ts'
import { objectKey } from './json-objects.ts'
import type { Parts } from './parts.ts'
import type { Route } from './route-table.ts'

type Change = (acl: readonly AclEntry[]) => readonly AclEntry[]

/** One kind of list: where it is, how it is read, changed and told. */
interface List {
  readonly path: string
  readonly kind: string
  read(call: Call): Promise<readonly AclEntry[]> | readonly AclEntry[]
  change(call: Call, change: Change): Promise<readonly AclEntry[]>
  tell(call: Call, entry: AclEntry): object
}

/** Lists of access of buckets, of their coming objects, and of objects. Source: cloud.google.com/storage/docs/json_api/v1/bucketAccessControls. */
export function aclRoutes(parts: Parts): readonly Route<Handler>[] {
  return [bucketList(parts, 'acl'), bucketList(parts, 'defaultObjectAcl'), objectList(parts)].flatMap(listRoutes)
}

function listRoutes({ path, kind, read, change, tell }: List): readonly Route<Handler>[] {
  const changed = async (call: Call, entity: string, edit: Change) => tell(call, entryOf(await change(call, edit), entity))
  /** An update makes what is not there; a patch does not. */
  const setRole =
    (isPatch: boolean): Handler =>
    async (call) => {
      const entity = call.param('entity')
      const input = await call.json()
      const role = isRecord(input) ? input['role'] : undefined
      return changed(call, entity, (acl) => {
        const known = acl.find((one) => one.entity.toLowerCase() === entity.toLowerCase())
        if (isPatch || known !== undefined) return withEntry(acl, { entity: entryOf(acl, entity).entity, role })
        return withEntry(acl, { entity, role })
      })
    }
  return [
    {
      verb: 'GET',
      path,
      handle: async (call) => ({ kind: `${kind}s`, items: (await read(call)).map((entry) => tell(call, entry)) }),
    },
    {
      verb: 'POST',
      path,
      async handle(call) {
        const input = await call.json()
        const entity = isRecord(input) && typeof input['entity'] === 'string' ? input['entity'] : ''
        return changed(call, entity, (acl) => withEntry(acl, input))
      },
    },
    { verb: 'GET', path: `${path}/:entity`, handle: async (call) => tell(call, entryOf(await read(call), call.param('entity'))) },
    { verb: 'PUT', path: `${path}/:entity`, handle: setRole(false) },
    { verb: 'PATCH', path: `${path}/:entity`, handle: setRole(true) },
    {
      verb: 'DELETE',
      path: `${path}/:entity`,
      async handle(call) {
        await change(call, (acl) => withoutEntry(acl, call.param('entity')))
        return undefined
      },
    },
  ]
}

function bucketList({ store, buckets }: Parts, which: 'acl' | 'defaultObjectAcl'): List {
  const tell = (bucket: StoredBucket, entry: AclEntry, origin: string) =>
    which === 'acl'
      ? toBucketAcl(bucket, entry, origin)
      : { kind: 'storage#objectAccessControl', ...entry, etag: toEtag(bucket.metageneration) }
  return {
    path: `b/:bucket/${which}`,
    kind: which === 'acl' ? 'storage#bucketAccessControl' : 'storage#objectAccessControl',
    read(call) {
      call.allow('storage.buckets.getIamPolicy', call.param('bucket'))
      const bucket = store.bucket(call.param('bucket'))
      const { ifMetagenerationMatch, ifMetagenerationNotMatch } = call.preconditions()
      checkPreconditions({ ifMetagenerationMatch, ifMetagenerationNotMatch }, bucket)
      const attributes = bucketAttributes(bucket)
      checkListsCount(attributes, 'get', 'bucket')
      return attributes[which]
    },
    async change(call, edit) {
      call.allow('storage.buckets.setIamPolicy', call.param('bucket'))
      return bucketAttributes(await buckets.changeAcl(call.param('bucket'), which, edit))[which]
    },
    tell: (call, entry) => tell(store.bucket(call.param('bucket')), entry, originOf(call.request)),
  }
}

function objectList({ store, objects }: Parts): List {
  const tell = (call: Call, object: StoredObject, entry: AclEntry) =>
    toObjectAcl(call.param('bucket'), object, entry, originOf(call.request))
  return {
    path: 'b/:bucket/o/:object/acl',
    kind: 'storage#objectAccessControl',
    read(call) {
      call.allow('storage.objects.getIamPolicy', call.param('bucket'))
      checkListsCount(bucketAttributes(store.bucket(call.param('bucket'))), 'get', 'object')
      return objectAttributes(store.object(objectKey(call))).acl
    },
    async change(call, edit) {
      call.allow('storage.objects.setIamPolicy', call.param('bucket'))
      return objectAttributes(await objects.changeAcl(objectKey(call), edit)).acl
    },
    tell: (call, entry) => tell(call, store.object(objectKey(call)), entry),
  }
}
