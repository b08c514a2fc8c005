import type { Revision } from '../../../api/gen/google/cloud/run/v2/revision_pb.ts'
import type { Service } from '../../../api/gen/google/cloud/run/v2/service_pb.ts'
import { lastPart } from '../../../base/last-part.ts'
import { sharesOf } from './route.ts'

/** Source: cloud.google.com/run/quotas, "Revisions for each service". */
const keptRevisions = 1000

/**
 * What becomes of a revision after a deployment: one with traffic or a tag serves, others retire, and beyond the bound the oldest are forgotten.
 * One whose own deployment is under way is not decided on.
 * @param index from the newest, which is 0
 */
export function fateOf(
  revision: Pick<Revision, 'name' | 'reconciling'>,
  index: number,
  service: Pick<Service, 'trafficStatuses' | 'latestReadyRevision' | 'latestCreatedRevision'>,
): 'serves' | 'retires' | 'forgotten' | 'undecided' {
  if (revision.reconciling) return 'undecided'
  if (sharesOf(service).has(lastPart(revision.name))) return 'serves'
  const isLatest = [service.latestReadyRevision, service.latestCreatedRevision].includes(revision.name)
  return index >= keptRevisions && !isLatest ? 'forgotten' : 'retires'
}
