import { create } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import { RevisionSchema } from '../../../../src/api/gen/google/cloud/run/v2/revision_pb.ts'
import { ServiceSchema } from '../../../../src/api/gen/google/cloud/run/v2/service_pb.ts'
import { fateOf } from '../../../../src/products/run/services/revision-fate.ts'

const name = (id: string) => `projects/p/locations/r/services/web/revisions/${id}`
const revision = (id: string, reconciling = false) => create(RevisionSchema, { name: name(id), reconciling })
const service = create(ServiceSchema, {
  trafficStatuses: [
    { revision: 'all', percent: 100 },
    { revision: 'tagged', tag: 'blue' },
  ],
  latestReadyRevision: name('ready'),
  latestCreatedRevision: name('created'),
})

test('what has traffic or a tag serves, however old it is', () => {
  expect([fateOf(revision('all'), 5000, service), fateOf(revision('tagged'), 5000, service)]).toEqual(['serves', 'serves'])
})

test('others retire, and beyond a thousand the oldest are forgotten', () => {
  expect([fateOf(revision('old'), 999, service), fateOf(revision('old'), 1000, service)]).toEqual(['retires', 'forgotten'])
})

test('the latest ones are never forgotten, and one that is being deployed is not decided on', () => {
  expect([fateOf(revision('ready'), 1000, service), fateOf(revision('created'), 1000, service)]).toEqual(['retires', 'retires'])
  expect(fateOf(revision('old', true), 1000, service)).toBe('undecided')
})
