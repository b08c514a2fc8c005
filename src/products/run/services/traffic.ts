import { create } from '@bufbuild/protobuf'
import {
  TrafficTargetAllocationType,
  TrafficTargetSchema,
  TrafficTargetStatusSchema,
  type TrafficTarget,
  type TrafficTargetStatus,
} from '../../../api/gen/google/cloud/run/v2/traffic_target_pb.ts'
import { CloudError } from '../../../base/cloud-error.ts'
import { invalid } from '../invalid.ts'

/** Everything to the newest revision that is ready: what an empty `traffic` means. */
export function allToLatest(): TrafficTarget {
  return create(TrafficTargetSchema, { type: TrafficTargetAllocationType.LATEST, percent: 100 })
}

/** @throws CloudError INVALID_ARGUMENT unless the percents sum to 100 and each tag stands once (run trap 30) */
export function checkTraffic(traffic: readonly TrafficTarget[]): void {
  for (const { percent, tag, type, revision } of traffic) {
    if (percent < 0 || percent > 100) throw invalid(`traffic: percent must be from 0 to 100, but is ${percent}.`, 'Write whole percents.')
    if (tag !== '' && !/^[a-z]([a-z0-9-]{0,44}[a-z0-9])?$/.test(tag))
      throw invalid(
        `traffic: tag '${tag}' must begin with a letter and hold lower case letters, digits and hyphens, 46 at most.`,
        'Choose such a tag.',
      )
    if (type === TrafficTargetAllocationType.REVISION && revision === '')
      throw invalid('traffic: A target of type REVISION must name one.', 'Set revision.')
    if (type !== TrafficTargetAllocationType.REVISION && revision !== '')
      throw invalid('traffic: revision may be set for targets of type REVISION alone.', 'Set type, or leave revision out.')
  }
  const sum = traffic.reduce((total, target) => total + target.percent, 0)
  if (traffic.length > 0 && sum !== 100)
    throw invalid(`traffic: The sum of percentages should be 100, but is ${sum}.`, 'Make the percents sum to 100.')
  const tags = traffic.map((target) => target.tag).filter((tag) => tag !== '')
  if (new Set(tags).size !== tags.length) throw invalid('traffic: Each tag may be used once.', 'Give each target a tag of its own.')
  if (tags.length > mostTags) throw new CloudError('RESOURCE_EXHAUSTED', `A service has at most ${mostTags} tags.`, 'Remove some first.')
}

/** Source: cloud.google.com/run/quotas. */
const mostTags = 2000

/**
 * Which revision takes which share now. LATEST stands for `latestReady`.
 * @param latestReady the id of the newest ready revision, `hello-00002-abc`
 * @param uri of the service; empty when its default URL is disabled, and then tags have none either
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

/** The revisions that `traffic` names by themselves. */
export function namedRevisions(traffic: readonly TrafficTarget[]): readonly string[] {
  return traffic.filter(({ type }) => type === TrafficTargetAllocationType.REVISION).map(({ revision }) => revision)
}
