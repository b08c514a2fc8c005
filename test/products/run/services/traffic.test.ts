import { create } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import { TrafficTargetAllocationType, TrafficTargetSchema } from '../../../../src/api/gen/google/cloud/run/v2/traffic_target_pb.ts'
import { checkTraffic, resolveTraffic } from '../../../../src/products/run/services/traffic.ts'

test('run trap 30: percents that do not sum to 100 are refused', () => {
  const half = create(TrafficTargetSchema, { type: TrafficTargetAllocationType.LATEST, percent: 50 })
  expect(() => checkTraffic([half])).toThrow('should be 100, but is 50')
  expect(() => checkTraffic([half, half])).not.toThrow()
})

test('empty traffic is everything to the latest ready revision', () => {
  expect(resolveTraffic([], 'hello-00002-fob', 'https://h')).toMatchObject([{ revision: 'hello-00002-fob', percent: 100 }])
})
