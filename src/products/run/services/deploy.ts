import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import type { Revision } from '../../../api/gen/google/cloud/run/v2/revision_pb.ts'
import type { Service } from '../../../api/gen/google/cloud/run/v2/service_pb.ts'
import { CloudError } from '../../../base/cloud-error.ts'
import { lastPart } from '../../../base/last-part.ts'
import { isReady, markFailed, markReady } from '../conditions.ts'
import { newEtag } from '../etags.ts'
import type { Instances } from '../instances/instances.ts'
import { projectOf } from '../names.ts'
import type { RunNeeds } from '../needs.ts'
import { fateOf } from './revision-fate.ts'
import { skipsHealthCheck, type Revisions } from './revisions.ts'
import { openRoute, type RouteParts } from './route.ts'
import type { ServiceStore } from './service-store.ts'
import { resolveTraffic } from './traffic.ts'

/** What a deployment works on. */
export interface DeployParts extends RouteParts {
  readonly store: ServiceStore
}

/**
 * Makes what runs agree with `wanted`: its revision starts and passes its health check, then traffic moves, then old revisions drain.
 * Answers the service as it stands afterwards. When the new revision fails, traffic stays where it was (run trap 32).
 * @param isTrafficOnly the template is as it was: a revision that failed is not tried again
 */
export async function deploy(
  parts: DeployParts,
  wanted: Service,
  isTrafficOnly: boolean,
  signal: AbortSignal,
): Promise<{ readonly service: Service; readonly failure?: unknown }> {
  const { needs, store, revisions, instances } = parts
  const at = () => new Date(needs.clock.nowMs())
  const revision = revisions.get(wanted.latestCreatedRevision)
  // a name alone makes a revision too: one that nobody has checked yet is never skipped
  const isSettled = revision === undefined || isReady(revision) || (isTrafficOnly && !revision.reconciling)
  const failure = isSettled ? undefined : await check(needs, revisions, instances, revision, signal)
  const service = store.find(wanted.name)
  if (service?.uid !== wanted.uid) return { service: wanted, failure: deleted(wanted) }
  const isReadyNow = revision !== undefined && isReady(revisions.get(revision.name) ?? revision)
  if (isReadyNow) service.latestReadyRevision = revision.name
  if (service.generation !== wanted.generation) {
    await store.put(service) // a newer deployment waits, and moves traffic
    return { service, failure }
  }
  const problem = failure ?? routeProblem(service, revisions)
  if (problem === undefined) {
    service.trafficStatuses = resolveTraffic(service.traffic, lastPart(service.latestReadyRevision), service.uri)
    markReady(service, ['RoutesReady', 'ConfigurationsReady'], at())
  } else markFailed(service, problem, at())
  service.updateTime = timestampFromDate(at())
  service.etag = newEtag()
  await store.put(service)
  if (needs.isUp(projectOf(service.name))) openRoute(parts, service)
  settleRevisions(parts, service.name).catch((error: unknown) => needs.log.warn({ err: error, service: service.name }, 'settling failed'))
  return { service, failure: problem }
}

/** Starts one instance. Answers why it did not become ready, undefined when it did. */
async function check(
  needs: RunNeeds,
  revisions: Revisions,
  instances: Instances,
  revision: Revision,
  signal: AbortSignal,
): Promise<unknown> {
  const project = projectOf(revision.name)
  try {
    if (!skipsHealthCheck(revision)) await instances.warm(revision, needs.project(project), signal)
    await revisions.setReady(revision.name)
    return undefined
  } catch (failure) {
    await revisions.setReady(revision.name, failure)
    await instances.retire(revision.name)
    return failure ?? new Error('The revision failed.')
  }
}

/** A failed revision never takes traffic. */
function routeProblem(service: Service, revisions: Revisions): CloudError | undefined {
  const statuses = resolveTraffic(service.traffic, lastPart(service.latestReadyRevision), service.uri)
  const bad = statuses.find((target) => {
    const revision = revisions.get(`${service.name}/revisions/${target.revision}`)
    return revision === undefined || !isReady(revision)
  })
  if (bad === undefined) return undefined
  return new CloudError(
    'FAILED_PRECONDITION',
    `Revision '${bad.revision}' is not ready and cannot serve traffic.`,
    'Choose one that is ready.',
  )
}

/** Revisions without traffic and tag finish what is under way and stop; beyond the bound the oldest are forgotten. */
async function settleRevisions({ needs, store, revisions, instances }: DeployParts, name: string): Promise<void> {
  const forgotten: string[] = []
  for (const [index, revision] of revisions.list(name).entries()) {
    const service = store.find(name) // as it is now: traffic may have moved back meanwhile
    if (service === undefined) return
    const fate = fateOf(revision, index, service)
    if (fate === 'undecided') continue
    try {
      const retired = fate === 'serves' ? undefined : instances.retire(revision.name)
      if (isReady(revision) && fate !== 'forgotten') await revisions.setActive(revision.name, fate === 'serves')
      await retired
      if (fate === 'forgotten') forgotten.push(revision.name)
    } catch (error) {
      needs.log.warn({ err: error, revision: revision.name }, 'retire failed')
    }
  }
  await Promise.all(forgotten.map((revision) => revisions.remove(revision)))
}

function deleted({ name }: Service): CloudError {
  return new CloudError('ABORTED', `Service '${name}' was deleted meanwhile.`, 'Create it again.')
}
