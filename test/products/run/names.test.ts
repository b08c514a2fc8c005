import { expect, test } from 'vitest'
import { checkId, jobKind, poolKind, readName, serviceKind } from '../../../src/products/run/names.ts'
import { revisionId } from '../../../src/products/run/revisions/revisions.ts'

test('service ids follow the rule of Run v2', () => {
  expect(() => checkId(serviceKind, 'hello-1')).not.toThrow()
  for (const bad of ['1a', 'A', 'a-', '', 'x'.repeat(50)]) expect(() => checkId(serviceKind, bad)).toThrow('service_id')
  expect(revisionId('hello', 2n, 'fob')).toBe('hello-00002-fob')
})

test('a name is read by its kind, and refused with the form that it has', () => {
  const parts = { project: 'p', region: 'r', id: 'w' }
  expect(readName(jobKind, 'projects/p/locations/r/jobs/w')).toEqual(parts)
  for (const collection of ['workerPools', 'workerpools'])
    expect(readName(poolKind, `projects/p/locations/r/${collection}/w`)).toEqual(parts)
  expect(() => readName(serviceKind, 'projects/p/locations/r/jobs/w')).toThrow("is not a service's name")
  expect(() => readName(poolKind, 'w')).toThrow(
    expect.objectContaining({ next: 'Write projects/PROJECT/locations/REGION/workerPools/POOL.' }),
  )
})
