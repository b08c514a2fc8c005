import { create } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import { RevisionSchema } from '../../../../src/api/gen/google/cloud/run/v2/revision_pb.ts'
import { ServiceScalingSchema, ServiceScaling_ScalingMode } from '../../../../src/api/gen/google/cloud/run/v2/vendor_settings_pb.ts'
import { limitsOf } from '../../../../src/products/run/services/service-scaling.ts'

const revision = (min: number, max: number) => create(RevisionSchema, { scaling: { minInstanceCount: min, maxInstanceCount: max } })
const scaling = (min: number, max: number) => create(ServiceScalingSchema, { minInstanceCount: min, maxInstanceCount: max })

test("the service's minimum and maximum are shared out by percent", () => {
  expect(limitsOf(scaling(4, 10), revision(0, 100), 75)).toEqual({ min: 3, max: 8 })
  expect(limitsOf(scaling(4, 10), revision(0, 100), 25)).toEqual({ min: 1, max: 3 })
  expect(limitsOf(scaling(4, 10), revision(2, 2), 25)).toEqual({ min: 2, max: 2 })
  expect(limitsOf(undefined, revision(1, 5), 100)).toEqual({ min: 1, max: 5 })
})

test("a tag alone has no share of the service's minimum, and may still start one instance", () => {
  expect(limitsOf(scaling(4, 10), revision(0, 100), 0)).toEqual({ min: 0, max: 10 })
})

test('manual scaling is a number, whatever the revision says', () => {
  const manual = create(ServiceScalingSchema, { scalingMode: ServiceScaling_ScalingMode.MANUAL, manualInstanceCount: 4 })
  expect(limitsOf(manual, revision(1, 2), 50)).toEqual({ min: 2, max: 2 })
})
