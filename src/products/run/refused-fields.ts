import type { Container } from '../../api/gen/google/cloud/run/v2/k8s.min_pb.ts'
import { unimplemented } from '../../api/status.ts'

/** What templates of services, tasks and worker pools have in common of this. */
export interface Refusable {
  readonly containers: readonly Container[]
  readonly nodeSelector?: unknown
  readonly gpuZonalRedundancyDisabled?: boolean | undefined
  readonly serviceMesh?: unknown
}

/** @throws CloudError UNIMPLEMENTED by name for what would have to do something that nothing here does */
export function refuseUnemulated(template: Refusable): void {
  const usesGpu = template.containers.some(({ resources }) => Object.keys(resources?.limits ?? {}).some((key) => key.endsWith('/gpu')))
  if (template.nodeSelector !== undefined || usesGpu || template.gpuZonalRedundancyDisabled === true)
    throw unimplemented('GPUs (node_selector)')
  if (template.serviceMesh !== undefined) throw unimplemented('Cloud Service Mesh (service_mesh)')
  if (template.containers.some(isFromSource)) throw unimplemented('containers from source (source_code, base_image_uri)')
}

function isFromSource({ sourceCode, baseImageUri }: Container): boolean {
  return sourceCode !== undefined || baseImageUri !== ''
}
