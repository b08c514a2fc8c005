import { clone, create, toJson } from '@bufbuild/protobuf'
import { RevisionTemplateSchema } from '../../../api/gen/google/cloud/run/v2/revision_template_pb.ts'
import { ServiceSchema, type Service } from '../../../api/gen/google/cloud/run/v2/service_pb.ts'
import { IngressTraffic } from '../../../api/gen/google/cloud/run/v2/vendor_settings_pb.ts'
import { readName, serviceKind } from '../names.ts'
import type { Project } from '../needs.ts'
import { stamp } from '../resource-writes.ts'
import { orderedText, templateKey } from '../revisions/template-key.ts'
import { withDefaults } from './fill-template.ts'
import { hostsOf } from './hosts.ts'
import { checkService } from './service-rules.ts'
import { allToLatest } from './traffic.ts'

/**
 * The service as it is to be stored: what the client may say of `sent`, with defaults; what the server says of `current`, or anew.
 * Output fields that the client sent are not believed. Pure but for the uid.
 * @throws CloudError as `checkService`
 */
export function toStored(sent: Service, name: string, current: Service | undefined, project: Project, caller: string, at: Date): Service {
  const { region, id } = readName(serviceKind, name)
  const hosts = hostsOf(project, region, id)
  const service = clone(ServiceSchema, sent)
  service.template = withDefaults(checkService(service, id))
  service.name = name
  service.ingress ||= IngressTraffic.ALL
  if (service.traffic.length === 0) service.traffic = [allToLatest()]
  service.uri = service.defaultUriDisabled ? '' : `https://${hosts.hashed}`
  service.urls = service.uri === '' ? [] : [...(hosts.deterministic === undefined ? [] : [`https://${hosts.deterministic}`]), service.uri]
  stamp(service, current, caller, at)
  service.threatDetectionEnabled = false
  service.satisfiesPzs = false
  delete service.deleteTime
  delete service.expireTime
  delete service.terminalCondition
  if (current?.terminalCondition !== undefined) service.terminalCondition = current.terminalCondition
  service.latestReadyRevision = current?.latestReadyRevision ?? ''
  service.latestCreatedRevision = current?.latestCreatedRevision ?? ''
  service.trafficStatuses = current?.trafficStatuses ?? []
  service.conditions = current?.conditions ?? []
  service.reconciling = current?.reconciling ?? false
  const isChanged = current === undefined || desiredText(current) !== desiredText(service)
  service.generation = (current?.generation ?? 0n) + (isChanged ? 1n : 0n)
  return service
}

/** Whether an update leaves the template, so that it makes no revision and starts none (run trap 29). */
export function isTrafficOnly(service: Service, current: Service | undefined): boolean {
  if (current?.template === undefined || service.template === undefined) return false
  return (
    templateKey(RevisionTemplateSchema, service.template) === templateKey(RevisionTemplateSchema, current.template) &&
    desiredText(service) !== desiredText(current)
  )
}

/** What the user asked for, as one text. */
function desiredText(service: Service): string {
  const { description, labels, annotations, client, clientVersion, ingress, launchStage, binaryAuthorization, template, traffic } = service
  const { scaling, invokerIamDisabled, defaultUriDisabled, customAudiences } = service
  const desired = create(ServiceSchema, {
    description,
    labels,
    annotations,
    client,
    clientVersion,
    ingress,
    launchStage,
    traffic,
    invokerIamDisabled,
    defaultUriDisabled,
    customAudiences,
    ...(binaryAuthorization !== undefined && { binaryAuthorization }),
    ...(template !== undefined && { template }),
    ...(scaling !== undefined && { scaling }),
  })
  return orderedText(toJson(ServiceSchema, desired))
}
