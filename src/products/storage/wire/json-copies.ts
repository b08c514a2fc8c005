import { isRecord } from '../../../base/is-record.ts'
import * as z from 'zod'
import type { StoredObject } from '../../../objects/stored.ts'
import { invalid } from '../names.ts'
import { readObjectFields } from '../object-attributes.ts'
import { bucketOfObject, toObjectResource } from '../object-resource.ts'
import type { Call } from './call.ts'
import { refuseCustomerKeys } from './download.ts'
import type { Handler } from './handler.ts'
import type { Parts } from './parts.ts'
import type { Route } from './route-table.ts'

const composeSchema = z.object({
  destination: z.unknown().optional(),
  sourceObjects: z.array(
    z.object({
      name: z.string(),
      generation: z.coerce.number().optional(),
      objectPreconditions: z.object({ ifGenerationMatch: z.coerce.number().optional() }).optional(),
    }),
  ),
})

/** Methods that make an object of others: copy, rewrite, compose. No byte is moved, so each is done in one step. */
export function copyRoutes({ store, objects }: Parts): readonly Route<Handler>[] {
  const copy = async (call: Call): Promise<StoredObject> => {
    refuseCustomerKeys(call.request)
    const input = await call.json()
    const isGiven = isRecord(input) && Object.keys(input).length > 0
    const key = { bucket: call.param('bucket'), name: call.param('object'), generation: call.integer('sourceGeneration') }
    const [bucket, name] = [call.param('toBucket'), call.param('toObject')]
    call.allow('storage.objects.get', key.bucket, key)
    call.allow('storage.objects.create', bucket)
    call.allowReplacing(bucket, name)
    const fields = isGiven ? readObjectFields(input) : undefined
    const wish = {
      bucket,
      name,
      predefinedAcl: call.text('destinationPredefinedAcl'),
      preconditions: call.preconditions(),
      caller: call.caller,
    }
    return objects.copy(store.object(key, call.preconditions('Source')), wish, fields)
  }
  return [
    {
      verb: 'POST',
      path: 'b/:bucket/o/:object/copyTo/b/:toBucket/o/:toObject',
      handle: async (call) => toObjectResource(bucketOfObject(store.bucket(call.param('toBucket'))), await copy(call), call.view()),
    },
    {
      verb: 'POST',
      path: 'b/:bucket/o/:object/rewriteTo/b/:toBucket/o/:toObject',
      async handle(call) {
        const made = await copy(call)
        const size = String(made.sizeBytes)
        const resource = toObjectResource(bucketOfObject(store.bucket(call.param('toBucket'))), made, call.view())
        return { kind: 'storage#rewriteResponse', totalBytesRewritten: size, objectSize: size, done: true, resource }
      },
    },
    {
      verb: 'POST',
      path: 'b/:bucket/o/:object/compose',
      async handle(call) {
        refuseCustomerKeys(call.request)
        const read = composeSchema.safeParse(await call.json())
        if (!read.success) throw invalid('Required: sourceObjects', 'Send {"sourceObjects": [{"name": ...}]}.')
        const { sourceObjects, destination } = read.data
        const bucket = call.param('bucket')
        call.allow('storage.objects.create', bucket)
        call.allowReplacing(bucket, call.param('object'))
        const fields = readObjectFields(destination ?? {})
        const sources = sourceObjects.map(({ name, generation, objectPreconditions }) => {
          call.allow('storage.objects.get', bucket, { name, generation })
          return store.object({ bucket, name, generation }, { ifGenerationMatch: objectPreconditions?.ifGenerationMatch })
        })
        const predefinedAcl = call.text('destinationPredefinedAcl')
        const wish = { bucket, name: call.param('object'), fields, predefinedAcl, preconditions: call.preconditions(), caller: call.caller }
        return toObjectResource(bucketOfObject(store.bucket(bucket)), await objects.compose(sources, wish), call.view())
      },
    },
  ]
}
