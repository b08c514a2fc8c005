import { create } from '@bufbuild/protobuf'
import {
  TrafficTargetAllocationType,
  TrafficTargetSchema,
  TrafficTargetStatusSchema,
  type TrafficTarget,
  type TrafficTargetStatus,
} from '../../api/gen/google/cloud/run/v2/traffic_target_pb.ts'
import { CloudError } from '../../base/cloud-error.ts'

/** Everything to the newest revision that is ready: what an empty `traffic` means. */
export function allToLatest(): TrafficTarget {
  return create(TrafficTargetSchema, { type: TrafficTargetAllocationType.LATEST, percent: 100 })
}

/** @throws CloudError INVALID_ARGUMENT unless the percents sum to 100 and each tag stands once (trap 30) */
export function checkTraffic(traffic: readonly TrafficTarget[]): void {
  const sum = traffic.reduce((total, target) => total + target.percent, 0)
  if (traffic.length > 0 && sum !== 100) {
    throw new CloudError(
      'INVALID_ARGUMENT',
      `traffic: The sum of percentages should be 100, but is ${sum}.`,
      'Make the percents sum to 100.',
    )
  }
  const tags = traffic.map((target) => target.tag).filter((tag) => tag !== '')
  if (new Set(tags).size !== tags.length)
    throw new CloudError('INVALID_ARGUMENT', 'traffic: Each tag may be used once.', 'Give each target a tag of its own.')
}

/**
 * Which revision takes which share now. LATEST stands for `latestReady`; targets without a ready revision are left out.
 * @param latestReady the id of the newest ready revision, `hello-00002-abc`
 */
export function resolveTraffic(traffic: readonly TrafficTarget[], latestReady: string, uri: string): TrafficTargetStatus[] {
  const wanted = traffic.length > 0 ? traffic : [allToLatest()]
  return wanted.map((target) =>
    create(TrafficTargetStatusSchema, {
      type: target.type || TrafficTargetAllocationType.LATEST,
      revision: target.type === TrafficTargetAllocationType.REVISION ? target.revision : latestReady,
      percent: target.percent,
      tag: target.tag,
      uri: target.tag === '' ? '' : uri.replace('https://', `https://${target.tag}---`),
    }),
  )
}
