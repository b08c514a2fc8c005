import type { RevisionTemplate } from '../../../api/gen/google/cloud/run/v2/revision_template_pb.ts'
import type { Service } from '../../../api/gen/google/cloud/run/v2/service_pb.ts'
import { unimplemented } from '../../../api/status.ts'
import { invalid } from '../invalid.ts'
import { defaultRequestSeconds } from '../defaults.ts'
import { refuseUnemulated } from '../refused-fields.ts'
import { checkUserKeys, isReservedKey } from '../reserved-keys.ts'
import { checkTraffic } from './traffic.ts'

/** What a service may say. @throws CloudError INVALID_ARGUMENT by field, UNIMPLEMENTED for what would act otherwise than here */
export function checkService(service: Service, serviceId: string): RevisionTemplate {
  const { template } = service
  if (template === undefined) throw invalid(`service.template: must be set.`, 'Send a template with a container.')
  refuseServices(service)
  refuseUnemulated(template)
  checkUserKeys('service', service)
  checkUserKeys('service.template', template)
  checkTraffic(service.traffic)
  checkRevisionName(template.revision, serviceId)
  checkNumbers(service, template)
  return template
}

/**
 * Keys of these domains are the server's own, and the first version of the API's (run/v2/service.proto, `labels` and `annotations`).
 * What the service has already may be sent back as it was read.
 */
export function checkMetadata(sent: Service, current: Service | undefined): void {
  const pairs = [
    ['service.labels', sent.labels, current?.labels],
    ['service.annotations', sent.annotations, current?.annotations],
    ['service.template.labels', sent.template?.labels, current?.template?.labels],
    ['service.template.annotations', sent.template?.annotations, current?.template?.annotations],
  ] as const
  for (const [field, now, before] of pairs) {
    for (const [key, value] of Object.entries(now ?? {})) {
      if (!isReservedKey(key) || before?.[key] === value) continue
      throw invalid(`${field}: The key '${key}' is of a domain that is reserved for the system.`, 'Use the field of the v2 API instead.')
    }
  }
}

function refuseServices(service: Service): void {
  const refused: readonly (readonly [isAsked: boolean, what: string])[] = [
    [service.buildConfig !== undefined, 'builds of functions (service.buildConfig)'],
    [service.iapEnabled, 'Identity-Aware Proxy (service.iapEnabled)'],
    [service.multiRegionSettings !== undefined, 'services of several regions (service.multiRegionSettings)'],
  ]
  const first = refused.find(([isAsked]) => isAsked)
  if (first !== undefined) throw unimplemented(first[1])
}

/** @throws CloudError INVALID_ARGUMENT. Source: revision_template.proto, `revision`, and Cloud Run's naming of revisions. */
function checkRevisionName(id: string, serviceId: string): void {
  if (id === '' || (/^[a-z][a-z0-9-]{0,61}[a-z0-9]$/.test(id) && id.startsWith(`${serviceId}-`))) return
  throw invalid(
    `service.template.revision: must be prefixed by "${serviceId}-" and have at most 63 lower case letters, digits and hyphens.`,
  )
}

function checkNumbers({ scaling }: Service, template: RevisionTemplate): void {
  const timeout = Number(template.timeout?.seconds ?? defaultRequestSeconds)
  checkRange('service.template.timeout', timeout, 1, 3600)
  checkRange('service.template.max_instance_request_concurrency', template.maxInstanceRequestConcurrency, 0, 1000)
  checkScaling('service.template.scaling', template.scaling)
  checkScaling('service.scaling', scaling)
  checkRange('service.scaling.manual_instance_count', scaling?.manualInstanceCount ?? 0, 0, 1000)
  checkRange('service.template.containers', template.containers.length, 0, 10)
  for (const [index, { args }] of template.containers.entries())
    checkRange(`service.template.containers[${index}].args`, args.length, 0, 1000)
}

function checkScaling(field: string, scaling: { readonly minInstanceCount: number; readonly maxInstanceCount: number } | undefined): void {
  if (scaling === undefined) return
  const { minInstanceCount: min, maxInstanceCount: max } = scaling
  checkRange(`${field}.min_instance_count`, min, 0, 1000)
  checkRange(`${field}.max_instance_count`, max, 0, 1000)
  if (max !== 0 && min > max) throw invalid(`${field}.min_instance_count: must not be greater than max_instance_count (${max}).`)
}

function checkRange(field: string, value: number, least: number, most: number): void {
  if (value >= least && value <= most) return
  throw invalid(`${field}: must be from ${least} to ${most}, but is ${value}.`)
}
