import { create } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import { WorkerPoolSchema } from '../../../../src/api/gen/google/cloud/run/v2/worker_pool_pb.ts'
import { systemClock } from '../../../../src/base/clock.ts'
import { schema } from '../../../../src/daemon/schema.ts'
import { openPoolRevisions, poolTemplateOf } from '../../../../src/products/run/worker-pools/pool-revisions.ts'
import { openCollection } from '../../../../src/state/collection.ts'
import { openState } from '../../../../src/state/state.ts'
import { freshDirectory } from '../../../state/given-state.ts'

const pool = (image: string, revision = '') =>
  create(WorkerPoolSchema, { name: 'projects/p/locations/r/workerPools/w', template: { revision, containers: [{ name: 'a', image }] } })

test('a template makes one revision, another template or force a new one', async () => {
  await using state = openState(freshDirectory(), schema)
  const revisions = openPoolRevisions({ state, clock: systemClock })
  const made = async (image: string, isForced = false) => {
    const { revision, saved } = revisions.forTemplate(pool(image), isForced)
    await saved
    return revision.name
  }
  const first = await made('one')
  expect(first).toMatch(/\/revisions\/w-00001-[a-z]{3}$/)
  expect(await made('one')).toBe(first)
  const second = await made('two')
  expect(second).toMatch(/w-00002-/)
  expect(await made('two', true)).toMatch(/w-00003-/)
  expect(revisions.list(pool('').name).map(({ name }) => name.slice(-9, -4))).toEqual(['00003', '00002', '00001'])
  expect(poolTemplateOf(revisions.list(pool('').name)[2] as never).containers[0]?.image).toBe('one')
})

test('run trap 34: a name that was given is not given to another template, also after its revision is gone', async () => {
  await using state = openState(freshDirectory(), schema)
  const revisions = openPoolRevisions({ state, clock: systemClock })
  const { revision, saved } = revisions.forTemplate(pool('one', 'w-a'))
  await saved
  expect(revisions.forTemplate(pool('one', 'w-a')).revision.name).toBe(revision.name)
  expect(() => revisions.forTemplate(pool('two', 'w-a'))).toThrow('with different configuration already exists')
  await revisions.remove(revision.name)
  expect(() => revisions.forTemplate(pool('two', 'w-a'))).toThrow('with different configuration already exists')
  await state.write(() => revisions.removeWith(pool('').name))
  expect(() => revisions.forTemplate(pool('two', 'w-a'))).not.toThrow()
})

test('a revision that an earlier version wrote, without a key beside it, is known by its template', async () => {
  await using state = openState(freshDirectory(), schema)
  const revisions = openPoolRevisions({ state, clock: systemClock })
  const { revision, saved } = revisions.forTemplate(pool('one'))
  await saved
  await openCollection(state, 'run.workerpool.revision.template').deleteBelow('')
  expect(revisions.forTemplate(pool('one')).revision.name).toBe(revision.name)
  expect(revisions.forTemplate(pool('two')).revision.name).not.toBe(revision.name)
})
