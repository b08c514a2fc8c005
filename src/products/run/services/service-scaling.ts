import type { Revision } from '../../../api/gen/google/cloud/run/v2/revision_pb.ts'
import type { Service } from '../../../api/gen/google/cloud/run/v2/service_pb.ts'
import { ServiceScaling_ScalingMode } from '../../../api/gen/google/cloud/run/v2/vendor_settings_pb.ts'
import type { InstanceLimits } from '../../../router/pool/revision-pool.ts'
import { defaultMaxInstances } from '../defaults.ts'

/**
 * How many instances a revision may have: its own scaling, and the service's shared out by percent, which changes without a new revision
 * (run trap 29). A tag alone has no share of the service's minimum. In manual mode the share is the number, whatever the revision says.
 * @param percent of the service's traffic that the revision takes
 * Source: cloud.google.com/run/docs/configuring/min-instances, /max-instances and /services/manual-scaling.
 */
export function limitsOf(scaling: Service['scaling'], revision: Pick<Revision, 'scaling'>, percent: number): InstanceLimits {
  const share = (count: number) => Math.ceil((count * percent) / 100)
  if (scaling?.scalingMode === ServiceScaling_ScalingMode.MANUAL) {
    const count = share(scaling.manualInstanceCount ?? 0)
    return { min: count, max: count }
  }
  const own = { min: revision.scaling?.minInstanceCount ?? 0, max: revision.scaling?.maxInstanceCount || defaultMaxInstances }
  const serviceMax = scaling?.maxInstanceCount || Infinity
  const max = Math.max(1, Math.min(own.max, percent === 0 ? serviceMax : share(serviceMax)))
  return { min: Math.min(max, Math.max(own.min, share(scaling?.minInstanceCount ?? 0))), max }
}
