import { Condition_RevisionReason, Condition_State } from '../../api/gen/google/cloud/run/v2/condition_pb.ts'
import type { Service } from '../../api/gen/google/cloud/run/v2/service_pb.ts'
import { CloudError, messageOf } from '../../base/cloud-error.ts'
import type { RouteTarget } from '../../router/upstream.ts'
import { hostsOf, taggedHosts } from './hosts.ts'
import type { Instances } from './instances.ts'
import type { RunNeeds } from './needs.ts'
import { condition, readServiceName } from './resources.ts'
import { isReady, type Revisions } from './revisions.ts'
import { limitsOf } from './service-scaling.ts'
import { resolveTraffic } from './traffic.ts'

/**
 * Makes what runs agree with `service`: its revision starts and passes its health check, then traffic moves, then old revisions drain.
 * Answers the service as it stands afterwards. When the new revision fails, traffic stays where it was (trap 32).
 */
export async function deploy(
  needs: RunNeeds,
  revisions: Revisions,
  instances: Instances,
  service: Service,
  signal: AbortSignal,
): Promise<{ service: Service; failure?: unknown }> {
  const { project: id } = readServiceName(service.name)
  const project = needs.project(id)
  const revision = await revisions.forTemplate(service)
  service.latestCreatedRevision = revision.name
  try {
    await instances.warm(revision, project, signal)
    await revisions.setReady(revision.name)
  } catch (failure) {
    await revisions.setReady(revision.name, failure)
    await instances.retire(revision.name)
    return { service: failed(needs, service, failure), failure }
  }
  service.latestReadyRevision = revision.name
  service.trafficStatuses = resolveTraffic(service.traffic, revision.name.split('/').at(-1) ?? '', service.uri)
  const missing = service.trafficStatuses.find((target) => revisions.get(`${service.name}/revisions/${target.revision}`) === undefined)
  if (missing !== undefined) {
    const failure = new CloudError(
      'FAILED_PRECONDITION',
      `Revision '${missing.revision}' does not exist.`,
      'Name one that `devcloud status` lists.',
    )
    return { service: failed(needs, service, failure), failure }
  }
  openRoute(needs, revisions, instances, service)
  void drainOthers(needs, revisions, instances, service)
  return { service: succeeded(needs, service) }
}

/** Tells the router where requests for `service` go. Starts nothing: the first request does. */
export function openRoute(needs: RunNeeds, revisions: Revisions, instances: Instances, service: Service): void {
  const { project: id, region, service: serviceId } = readServiceName(service.name)
  const project = needs.project(id)
  const { hashed, deterministic, local, localWithProject } = hostsOf(project, region, serviceId)
  const hosts = [local, localWithProject, hashed, ...(deterministic === undefined ? [] : [deterministic])]
  const shares = new Map<string, number>()
  for (const { revision, percent } of service.trafficStatuses) shares.set(revision, (shares.get(revision) ?? 0) + percent)
  const targets = service.trafficStatuses.flatMap((target): RouteTarget[] => {
    const revision = revisions.get(`${service.name}/revisions/${target.revision}`)
    if (revision === undefined || !isReady(revision)) return []
    const upstream = instances.pool(revision, project)
    instances.setLimits(revision.name, limitsOf(service.scaling, revision, shares.get(target.revision) ?? 0))
    return [{ percent: target.percent, upstream, ...(target.tag !== '' && { hosts: taggedHosts(target.tag, hosts) }) }]
  })
  if (targets.length === 0) return
  const timeoutMs = Number(service.template?.timeout?.seconds ?? 300n) * 1000
  needs.router.setRoute({ service: serviceId, project: id, hosts, timeoutMs, targets })
}

async function drainOthers(needs: RunNeeds, revisions: Revisions, instances: Instances, service: Service): Promise<void> {
  const kept = new Set(service.trafficStatuses.map((target) => `${service.name}/revisions/${target.revision}`))
  for (const revision of revisions.list(service.name)) {
    if (kept.has(revision.name)) continue
    await instances.retire(revision.name).catch((error: unknown) => needs.log.warn({ error, revision: revision.name }, 'retire failed'))
  }
}

function succeeded(needs: RunNeeds, service: Service): Service {
  const at = new Date(needs.clock.nowMs())
  service.reconciling = false
  service.observedGeneration = service.generation
  service.terminalCondition = condition('Ready', Condition_State.CONDITION_SUCCEEDED, '', at)
  service.conditions = ['RoutesReady', 'ConfigurationsReady'].map((type) => condition(type, Condition_State.CONDITION_SUCCEEDED, '', at))
  return service
}

function failed(needs: RunNeeds, service: Service, failure: unknown): Service {
  const at = new Date(needs.clock.nowMs())
  const revision = service.latestCreatedRevision.split('/').at(-1) ?? ''
  const message = `Revision '${revision}' is not ready and cannot serve traffic. ${messageOf(failure)}`
  service.reconciling = false
  service.observedGeneration = service.generation
  service.terminalCondition = condition(
    'Ready',
    Condition_State.CONDITION_FAILED,
    message,
    at,
    Condition_RevisionReason.HEALTH_CHECK_CONTAINER_ERROR,
  )
  service.conditions = [
    condition(
      'RoutesReady',
      service.latestReadyRevision === '' ? Condition_State.CONDITION_FAILED : Condition_State.CONDITION_SUCCEEDED,
      '',
      at,
    ),
    condition('ConfigurationsReady', Condition_State.CONDITION_FAILED, message, at, Condition_RevisionReason.HEALTH_CHECK_CONTAINER_ERROR),
  ]
  return service
}
