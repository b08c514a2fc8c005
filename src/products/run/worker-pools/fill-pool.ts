import { clone, create } from '@bufbuild/protobuf'
import { InstanceSplitAllocationType, InstanceSplitSchema } from '../../../api/gen/google/cloud/run/v2/instance_split_pb.ts'
import { WorkerPoolScalingSchema } from '../../../api/gen/google/cloud/run/v2/vendor_settings_pb.ts'
import { WorkerPoolSchema, type WorkerPool } from '../../../api/gen/google/cloud/run/v2/worker_pool_pb.ts'
import { unimplemented } from '../../../api/status.ts'
import { defaultWorkers, reservedEnv } from '../defaults.ts'
import { fillContainers, type ContainerRules } from '../instances/container-rules.ts'
import { invalid } from '../invalid.ts'
import { poolKind, readName } from '../names.ts'
import { refuseUnemulated } from '../refused-fields.ts'
import { checkReservedKeys, checkUserKeys } from '../reserved-keys.ts'
import { checkSplits } from './splits.ts'

const rules: ContainerRules = {
  field: 'worker_pool.template.containers',
  work: { one: 'a worker pool', many: 'worker pools' },
  reservedEnv: reservedEnv.worker,
}

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
  const { id } = readName(poolKind, name)
  if (template.revision !== '' && !(template.revision.startsWith(`${id}-`) && /^[a-z][a-z0-9-]{0,61}[a-z0-9]$/.test(template.revision)))
    throw invalid(`worker_pool.template.revision: must be prefixed by "${id}-" and have at most 63 lower case letters, digits and hyphens.`)
  if (copy.customAudiences.length > 0) throw unimplemented('custom audiences of worker pools')
  refuseUnemulated(template)
  checkUserKeys('worker_pool', copy)
  checkUserKeys('worker_pool.template', template)
  fillContainers(template, rules)
  const count = scaling?.manualInstanceCount ?? defaultWorkers
  if (count < 0 || count > 1000) throw invalid(`worker_pool.scaling.manual_instance_count: must be from 0 to 1000, but is ${count}.`)
  const filled = create(WorkerPoolSchema, { name, description, labels, annotations, client, clientVersion, launchStage, instanceSplits })
  filled.template = template
  if (instanceSplits.length === 0)
    filled.instanceSplits = [create(InstanceSplitSchema, { type: InstanceSplitAllocationType.LATEST, percent: 100 })]
  if (binaryAuthorization !== undefined) filled.binaryAuthorization = binaryAuthorization
  filled.scaling = create(WorkerPoolScalingSchema, { manualInstanceCount: count })
  return filled
}
