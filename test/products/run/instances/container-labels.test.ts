import { expect, test } from 'vitest'
import {
  ownerOf,
  readLabels,
  serviceOf,
  writeLabels,
  type ContainerOwner,
  type RunLabels,
} from '../../../../src/products/run/instances/container-labels.ts'

const owners: readonly ContainerOwner[] = [
  { kind: 'revision', service: 'web', revision: 'web-00001-abc', name: 'projects/p/locations/r/services/web/revisions/web-00001-abc' },
  { kind: 'once', service: 'web' },
  { kind: 'task', job: 'j', execution: 'j-x1', name: 'projects/p/locations/r/jobs/j/executions/j-x1', task: 0, attempt: 2 },
  { kind: 'worker', pool: 'w', revision: 'w-00001-abc', name: 'projects/p/locations/r/workerPools/w' },
]

test.each(owners)('labels of a container of the kind $kind are read as they were written', (owner) => {
  const labels: RunLabels = { owner, instance: 'i', container: 'app', isSidecar: true, cpusAfterBoost: 0.5 }
  const container = { name: 'i-app', labels: writeLabels(labels) }
  expect(readLabels(container)).toEqual(labels)
  for (const { kind } of owners) expect(ownerOf(container, kind)).toEqual(kind === owner.kind ? owner : undefined)
  expect(serviceOf(container)?.service).toBe('service' in owner ? 'web' : undefined)
})

test('the keys are those that containers of earlier versions carry', () => {
  const keys = owners.map((owner) => Object.keys(writeLabels({ owner, instance: 'i', container: '', isSidecar: false })).join(' '))
  expect(keys).toEqual([
    'service revision revisionName instance',
    'service once instance',
    'job execution executionName task attempt instance',
    'workerPool workerPoolName revision instance',
  ])
})

test('a container of another product has none, and one without an instance is an instance by its name', () => {
  expect(readLabels({ name: 'db', labels: { database: 'main' } })).toBeUndefined()
  expect(readLabels({ name: 'web-1', labels: { service: 'web', revisionName: 'n' } })).toMatchObject({
    instance: 'web-1',
    isSidecar: false,
  })
})
