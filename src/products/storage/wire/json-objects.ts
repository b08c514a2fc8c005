import { compileGlob } from '../../../objects/glob.ts'
import type { ListQuery } from '../../../objects/listing.ts'
import type { ObjectKey } from '../../../objects/object-store.ts'
import { readPageToken, toPageToken } from '../../../objects/page-token.ts'
import { objectKeys } from '../object-attributes.ts'
import { bucketOfObject, toObjectResource } from '../object-resource.ts'
import type { ChangeWish } from '../objects.ts'
import { invalid } from '../names.ts'
import type { Call } from './call.ts'
import { refuseCustomerKeys, sendMedia } from './download.ts'
import { checkEntityTags } from './entity-tags.ts'
import { pageSize } from './json-buckets.ts'
import type { Handler } from './handler.ts'
import type { Parts } from './parts.ts'
import type { Route } from './route-table.ts'

/** Methods of objects but those that make one. Source: cloud.google.com/storage/docs/json_api/v1/objects. */
export function objectRoutes({ store, objects }: Parts): readonly Route<Handler>[] {
  return [
    {
      verb: 'GET',
      path: 'b/:bucket/o',
      async handle(call) {
        const bucket = call.param('bucket')
        call.allow('storage.objects.list', bucket)
        const { items, prefixes, end } = await store.list(bucket, readListQuery(call), call.turn)
        const view = call.view()
        const within = bucketOfObject(store.bucket(bucket))
        const told: object[] = []
        for (const object of items) {
          told.push(toObjectResource(within, object, view))
          if (call.turn.isOver) await call.turn.next()
        }
        return {
          kind: 'storage#objects',
          ...(end !== undefined && { nextPageToken: toPageToken(end) }),
          ...(prefixes.length > 0 && { prefixes }),
          ...(items.length > 0 && { items: told }),
        }
      },
    },
    {
      verb: 'GET',
      path: 'b/:bucket/o/:object',
      handle(call) {
        const key = objectKey(call)
        call.allow('storage.objects.get', key.bucket, key)
        if (call.text('alt') === 'media') return media(store, call)
        refuseCustomerKeys(call.request)
        const object = store.object(key, call.preconditions())
        checkEntityTags(call.request, object, 'json')
        return toObjectResource(bucketOfObject(store.bucket(key.bucket)), object, call.view())
      },
    },
    {
      verb: 'PATCH',
      path: 'b/:bucket/o/:object',
      async handle(call) {
        const key = objectKey(call)
        call.allow('storage.objects.update', key.bucket, key)
        const patched = await objects.patch(key, changeWish(call), await call.patch(objectKeys))
        return toObjectResource(bucketOfObject(store.bucket(key.bucket)), patched, call.view('full'))
      },
    },
    {
      verb: 'PUT',
      path: 'b/:bucket/o/:object',
      async handle(call) {
        const key = objectKey(call)
        call.allow('storage.objects.update', key.bucket, key)
        const updated = await objects.update(key, changeWish(call), await call.json(objectKeys))
        return toObjectResource(bucketOfObject(store.bucket(key.bucket)), updated, call.view('full'))
      },
    },
    {
      verb: 'DELETE',
      path: 'b/:bucket/o/:object',
      async handle(call) {
        const key = objectKey(call)
        call.allow('storage.objects.delete', key.bucket, key)
        await objects.remove(key, call.preconditions())
        return undefined
      },
    },
  ]
}

/** The path with /download/ before it: bytes, whatever `alt` says. */
export function downloadRoutes({ store }: Parts): readonly Route<Handler>[] {
  return [
    {
      verb: 'GET',
      path: 'b/:bucket/o/:object',
      handle(call) {
        const key = objectKey(call)
        call.allow('storage.objects.get', key.bucket, key)
        return media(store, call)
      },
    },
  ]
}

/** The generation that a request names, or the live one. */
export function objectKey(call: Call): ObjectKey {
  return { bucket: call.param('bucket'), name: call.param('object'), generation: call.integer('generation') }
}

function changeWish(call: Call): ChangeWish {
  return {
    preconditions: call.preconditions(),
    predefinedAcl: call.text('predefinedAcl'),
    overridesRetention: call.flag('overrideUnlockedRetention'),
  }
}

function media(store: Parts['store'], call: Call) {
  const { request, reply, query } = call
  return sendMedia(store, { request, reply, query, key: objectKey(call), preconditions: call.preconditions(), wire: 'json' })
}

/** @throws CloudError INVALID_ARGUMENT for a token that no list gave */
function readListQuery(call: Call): ListQuery {
  const token = call.text('pageToken')
  const after = token === undefined ? undefined : readPageToken(token)
  if (token !== undefined && after === undefined) throw invalid('Invalid argument.', 'Send a pageToken that a list gave.')
  const glob = call.text('matchGlob')
  return {
    prefix: call.text('prefix') ?? '',
    delimiter: call.text('delimiter') ?? '',
    startOffset: call.text('startOffset') ?? '',
    endOffset: call.text('endOffset') ?? '',
    includeTrailingDelimiter: call.flag('includeTrailingDelimiter'),
    versions: call.flag('versions'),
    limit: pageSize(call),
    after,
    matches: glob === undefined ? () => true : compileGlob(glob),
  }
}
