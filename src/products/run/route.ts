import type { Service } from '../../api/gen/google/cloud/run/v2/service_pb.ts'
import type { RouteTarget } from '../../router/upstream.ts'
import { isReady } from './conditions.ts'
import { hostsOf, taggedHosts } from './hosts.ts'
import type { Instances } from './instances.ts'
import type { RunNeeds } from './needs.ts'
import { readServiceName } from './resources.ts'
import type { Revisions } from './revisions.ts'
import { limitsOf } from './service-scaling.ts'

/** Tells the router where requests for `service` go, and the pools how many instances each revision may have. */
export function openRoute(needs: RunNeeds, revisions: Revisions, instances: Instances, service: Service): void {
  const { project: id, service: serviceId } = readServiceName(service.name)
  const project = needs.project(id)
  const hosts = routedHosts(needs, service)
  const shares = sharesOf(service)
  const targets = service.trafficStatuses.flatMap((target): RouteTarget[] => {
    const revision = revisions.get(`${service.name}/revisions/${target.revision}`)
    if (revision === undefined || !isReady(revision)) return []
    const upstream = instances.pool(revision, project)
    instances.setLimits(revision.name, limitsOf(service.scaling, revision, shares.get(target.revision) ?? 0))
    return [{ percent: target.percent, upstream, ...(target.tag !== '' && { hosts: taggedHosts(target.tag, hosts) }) }]
  })
  if (targets.length === 0) return
  const latest = revisions.get(service.latestReadyRevision)
  const timeoutMs = Number(latest?.timeout?.seconds ?? 300n) * 1000
  needs.router.setRoute({ service: serviceId, project: id, hosts, timeoutMs, targets, sessionAffinity: latest?.sessionAffinity === true })
}

/** The percent of each revision's id, over all targets that name it. */
export function sharesOf({ trafficStatuses }: Service): ReadonlyMap<string, number> {
  const shares = new Map<string, number>()
  for (const { revision, percent } of trafficStatuses) shares.set(revision, (shares.get(revision) ?? 0) + percent)
  return shares
}

/** The names of this machine stand for a load balancer's: they stay when the default URL is disabled. */
function routedHosts(needs: RunNeeds, { name, defaultUriDisabled }: Service): readonly string[] {
  const { project, region, service } = readServiceName(name)
  const { hashed, deterministic, local, localWithProject } = hostsOf(needs.project(project), region, service)
  if (defaultUriDisabled) return [local, localWithProject]
  return [local, localWithProject, hashed, ...(deterministic === undefined ? [] : [deterministic])]
}
