import { clone, create } from '@bufbuild/protobuf'
import { InstanceSplitAllocationType, InstanceSplitSchema } from '../../../api/gen/google/cloud/run/v2/instance_split_pb.ts'
import type { Container } from '../../../api/gen/google/cloud/run/v2/k8s.min_pb.ts'
import { WorkerPoolScalingSchema } from '../../../api/gen/google/cloud/run/v2/vendor_settings_pb.ts'
import { WorkerPoolSchema, type WorkerPool } from '../../../api/gen/google/cloud/run/v2/worker_pool_pb.ts'
import { nameContainers } from '../instances/container-rules.ts'
import { checkProbes } from '../instances/probes.ts'
import { startOrder } from '../instances/start-order.ts'
import { checkVolumes } from '../instances/volume-rules.ts'
import { unimplemented } from '../../../api/status.ts'
import { CloudError } from '../../../base/cloud-error.ts'
import { refuseUnemulated } from '../refused-fields.ts'
import { checkReservedKeys, checkUserKeys } from '../reserved-keys.ts'
import { limitsOf } from '../instances/amounts.ts'
import { checkContainerValues } from '../instances/container-values.ts'
import { checkLimits } from '../instances/resource-limits.ts'
import { readPoolName } from './names.ts'
import { checkSplits } from './splits.ts'

const reservedEnv: readonly string[] = ['CLOUD_RUN_WORKER_POOL', 'CLOUD_RUN_WORKER_POOL_REVISION']

/**
 * What a client may say of a worker pool, with defaults: one instance, all of the latest revision, 1 CPU, 512 MiB. The output fields that it sent are not believed.
 * @throws CloudError INVALID_ARGUMENT, or UNIMPLEMENTED for what is not emulated
 */
export function fillPool(sent: WorkerPool, name: string): WorkerPool {
  const copy = clone(WorkerPoolSchema, sent)
  const { description, labels, annotations, client, clientVersion, launchStage, binaryAuthorization } = copy
  const { instanceSplits, template, scaling } = copy
  checkReservedKeys('worker_pool.labels', labels)
  checkReservedKeys('worker_pool.annotations', annotations)
  checkSplits(instanceSplits)
  if (template === undefined) throw invalid('worker_pool.template: must be set.', 'Send a template with a container.')
  checkReservedKeys('worker_pool.template.labels', template.labels)
  checkReservedKeys('worker_pool.template.annotations', template.annotations)
  const id = readPoolName(name).pool
  if (template.revision !== '' && !(template.revision.startsWith(`${id}-`) && /^[a-z][a-z0-9-]{0,61}[a-z0-9]$/.test(template.revision)))
    throw invalid(`worker_pool.template.revision: must be prefixed by "${id}-" and have at most 63 lower case letters, digits and hyphens.`)
  if (copy.customAudiences.length > 0) throw unimplemented('custom audiences of worker pools')
  refuseUnemulated(template)
  checkUserKeys('worker_pool', copy)
  checkUserKeys('worker_pool.template', template)
  if (template.containers.length === 0)
    throw invalid('worker_pool.template.containers: should have at least one element.', 'Name an image.')
  for (const [index, container] of template.containers.entries()) fillContainer(container, `worker_pool.template.containers[${index}]`)
  if (template.containers.length > 1) nameContainers(template.containers, 'worker_pool.template.containers')
  checkLimits(template.containers.map(limitsOf), undefined)
  startOrder(template)
  checkVolumes(template, false)
  const count = scaling?.manualInstanceCount ?? 1
  if (count < 0 || count > 1000) throw invalid(`worker_pool.scaling.manual_instance_count: must be from 0 to 1000, but is ${count}.`)
  const filled = create(WorkerPoolSchema, { name, description, labels, annotations, client, clientVersion, launchStage, instanceSplits })
  filled.template = template
  if (instanceSplits.length === 0)
    filled.instanceSplits = [create(InstanceSplitSchema, { type: InstanceSplitAllocationType.LATEST, percent: 100 })]
  if (binaryAuthorization !== undefined) filled.binaryAuthorization = binaryAuthorization
  filled.scaling = create(WorkerPoolScalingSchema, { manualInstanceCount: count })
  return filled
}

function fillContainer(container: Container, place: string): void {
  if (container.image === '') throw invalid(`${place}.image: must not be empty.`, 'Name a container image.')
  if (container.ports.length > 0) throw invalid(`${place}.ports: a worker pool serves no requests and has no ports.`, 'Remove the port.')
  if (container.livenessProbe !== undefined) throw unimplemented('liveness probes of worker pools')
  if (container.readinessProbe !== undefined) throw unimplemented('readiness probes of worker pools')
  checkProbes(container, place)
  container.resources ??= { $typeName: 'google.cloud.run.v2.ResourceRequirements', limits: {}, cpuIdle: false, startupCpuBoost: false }
  container.resources.limits = { cpu: '1000m', memory: '512Mi', ...container.resources.limits }
  checkContainerValues(container, place)
  const reserved = container.env.find(({ name }) => reservedEnv.includes(name))
  if (reserved === undefined) return
  throw invalid(
    `${place}.env: The following reserved env names were provided: ${reserved.name}. These values are automatically set by the system.`,
    `Remove ${reserved.name}.`,
  )
}

function invalid(message: string, next = 'Correct the request.'): CloudError {
  return new CloudError('INVALID_ARGUMENT', message, next)
}
