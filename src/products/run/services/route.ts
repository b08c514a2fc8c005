import type { Service } from '../../../api/gen/google/cloud/run/v2/service_pb.ts'
import { IngressTraffic } from '../../../api/gen/google/cloud/run/v2/vendor_settings_pb.ts'
import type { IamPolicies } from '../../../api/iam-policy.ts'
import type { RouteTarget } from '../../../router/upstream.ts'
import { isReady } from '../conditions.ts'
import { idleLimitMs } from '../instances/idle-limit.ts'
import type { Instances } from '../instances/instances.ts'
import { readName, serviceKind } from '../names.ts'
import type { RunNeeds } from '../needs.ts'
import { hostsOf, taggedHosts } from './hosts.ts'
import { invokerGate, invokersOf, type InvokerRules } from './invoker.ts'
import type { Revisions } from './revisions.ts'
import { limitsOf } from './service-scaling.ts'

/** What a route is made of. */
export interface RouteParts {
  readonly needs: RunNeeds
  readonly revisions: Revisions
  readonly instances: Instances
  /** Those of services, by full name. */
  readonly policies: IamPolicies
}

/** Tells the router where requests for `service` go, and the pools how many instances each revision may have. */
export function openRoute(parts: RouteParts, service: Service): void {
  const { needs, revisions, instances } = parts
  const { project: id, id: serviceId } = readName(serviceKind, service.name)
  const project = needs.project(id)
  const hosts = routedHosts(needs, service)
  const shares = sharesOf(service)
  const targets = service.trafficStatuses.flatMap((target): RouteTarget[] => {
    const revision = revisions.get(`${service.name}/revisions/${target.revision}`)
    if (revision === undefined || !isReady(revision)) return []
    const upstream = instances.pool(revision, project)
    const idleMs = idleLimitMs(service.annotations)
    instances.setLimits(revision.name, { ...limitsOf(service.scaling, revision, shares.get(target.revision) ?? 0), idleMs })
    return [{ percent: target.percent, upstream, ...(target.tag !== '' && { hosts: taggedHosts(target.tag, hosts) }) }]
  })
  if (targets.length === 0) return
  const gate = invokerGate(rulesOf(parts, service), () => needs.clock.nowMs())
  needs.router.setRoute({ service: serviceId, project: id, hosts, targets, ...(gate !== undefined && { gate }) })
}

/** Who may call, as the policies of the service and of its project say now. */
function rulesOf({ needs, policies }: RouteParts, service: Service): InvokerRules {
  const { project: id, region, id: serviceId } = readName(serviceKind, service.name)
  const { hashed, deterministic, local, localWithProject } = hostsOf(needs.project(id), region, serviceId)
  const own = [hashed, deterministic, local, localWithProject].flatMap((host) => (host === undefined ? [] : `https://${host}`))
  const here = [local, localWithProject].flatMap((host) => [`http://${host}`, `http://${host}:${needs.router.port}`])
  const members = invokersOf([policies.get(service.name), needs.projectPolicy(id)])
  return {
    service: serviceId,
    ingress: ingressOf(service.ingress),
    isOpen: service.invokerIamDisabled || members.has('allUsers'),
    members,
    audiences: new Set([...own, ...here, ...service.customAudiences.map((audience) => audience.replace(/\/$/, ''))]),
    readIdToken: (token) => needs.readIdToken(token),
  }
}

/** The front stands for a load balancer too. */
function ingressOf(ingress: IngressTraffic): InvokerRules['ingress'] {
  if (ingress === IngressTraffic.NONE) return 'none'
  return ingress === IngressTraffic.INTERNAL_ONLY ? 'instances' : 'all'
}

/** The percent of each revision's id, over all targets that name it. */
export function sharesOf({ trafficStatuses }: Pick<Service, 'trafficStatuses'>): ReadonlyMap<string, number> {
  const shares = new Map<string, number>()
  for (const { revision, percent } of trafficStatuses) shares.set(revision, (shares.get(revision) ?? 0) + percent)
  return shares
}

/** The names of this machine stand for a load balancer's: they stay when the default URL is disabled. */
function routedHosts(needs: RunNeeds, { name, defaultUriDisabled }: Service): readonly string[] {
  const { project, region, id } = readName(serviceKind, name)
  const { hashed, deterministic, local, localWithProject } = hostsOf(needs.project(project), region, id)
  if (defaultUriDisabled) return [local, localWithProject]
  return [local, localWithProject, hashed, ...(deterministic === undefined ? [] : [deterministic])]
}
