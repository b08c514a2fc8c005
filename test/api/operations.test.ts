import { create } from '@bufbuild/protobuf'
import { anyUnpack, type Any } from '@bufbuild/protobuf/wkt'
import { expect, test } from 'vitest'
import { ServiceSchema } from '../../src/api/gen/google/cloud/run/v2/service_pb.ts'
import { openOperations } from '../../src/api/operations.ts'
import { CloudError } from '../../src/base/cloud-error.ts'
import { openCollection } from '../../src/state/collection.ts'
import { openState } from '../../src/state/state.ts'
import { givenState } from './given-api.ts'

const about = { parent: 'projects/p/locations/r', metadata: [ServiceSchema, create(ServiceSchema, { name: 'a' })] as const }

test('an operation is answered before its work, and waits end with what the work gave', async () => {
  await using state = givenState()
  const operations = await openOperations(state)
  const started = await operations.start(about, async () => [ServiceSchema, create(ServiceSchema, { name: 'b' })])
  expect(started.done).toBe(false)
  const ended = await operations.wait(started.name, 5000)
  expect(ended).toMatchObject({ done: true, result: { case: 'response' } })
})

test('a fault ends an operation with its code, its text and its evidence', async () => {
  await using state = givenState()
  const operations = await openOperations(state)
  const started = await operations.start(about, async () => {
    throw new CloudError('FAILED_PRECONDITION', 'It crashed.', 'Look.', { fault: 'APP_CRASHED', evidence: ['line'] })
  })
  const ended = await operations.wait(started.name, 5000)
  expect(ended.result).toMatchObject({ case: 'error', value: { code: 9, message: 'It crashed.' } })
  expect(ended.result.case === 'error' ? ended.result.value.details.map((detail) => detail.typeUrl) : []).toEqual([
    'type.googleapis.com/google.rpc.ErrorInfo',
    'type.googleapis.com/google.rpc.DebugInfo',
  ])
})

test('sql trap 44: a name given out answers after a restart, and what was under way is over', async () => {
  const first = givenState()
  const { directory } = first
  const { name } = await (await openOperations(first)).start(about, () => new Promise(() => {}))
  await first[Symbol.asyncDispose]()
  await using state = openState(directory, [])
  const operations = await openOperations(state)
  expect(operations.get(name)).toMatchObject({ done: true, result: { case: 'error', value: { code: 10 } } })
})

test('an operation with a key goes on in a later daemon, and tells its progress as metadata', async () => {
  const first = givenState()
  const { directory } = first
  const { name } = await (await openOperations(first)).start({ ...about, key: 'work-1' }, () => new Promise(() => {}))
  await first[Symbol.asyncDispose]()
  await using state = openState(directory, [])
  const operations = await openOperations(state)
  expect(operations.get(name).done).toBe(false)
  expect(operations.left()).toEqual([{ name, key: 'work-1' }])
  const told = Promise.withResolvers<void>()
  operations.resume(name, async (tell) => {
    await tell([ServiceSchema, create(ServiceSchema, { name: 'half' })])
    await told.promise
    return [ServiceSchema, create(ServiceSchema, { name: 'whole' })]
  })
  expect(operations.left()).toEqual([])
  await expect.poll(() => nameIn(operations.get(name).metadata)).toBe('half')
  told.resolve()
  const ended = await operations.wait(name, 5000)
  expect(ended).toMatchObject({ done: true, result: { case: 'response' } })
  expect(openCollection(state, 'operation.key').list('')).toEqual([])
})

function nameIn(any: Any | undefined): string | undefined {
  return any === undefined ? undefined : anyUnpack(any, ServiceSchema)?.name
}
