import type { VolumeMount } from '../../api/gen/google/cloud/run/v2/k8s.min_pb.ts'
import { CloudError } from '../../base/cloud-error.ts'
import type { Mount } from '../../engine/engine.ts'
import { serviceAccountOf, type InstanceSpec } from './instance-spec.ts'
import type { RunNeeds } from './needs.ts'
import { limitsOf, readBytes } from './amounts.ts'
import { secretFiles } from './secret-files.ts'

/**
 * What a mount of a container is for the engine.
 * @throws CloudError INVALID_ARGUMENT, NOT_FOUND for a database or a bucket that is not there, UNIMPLEMENTED for what is not emulated
 */
export async function toMounts(needs: RunNeeds, instance: InstanceSpec, mount: VolumeMount): Promise<readonly Mount[]> {
  const { template, project } = instance
  const volume = template.volumes.find((found) => found.name === mount.name)
  const target = mount.mountPath
  const type = volume?.volumeType
  switch (type?.case) {
    case 'cloudSqlInstance':
      return await Promise.all(
        type.value.instances.map(async (connection) => ({
          kind: 'bind' as const,
          source: await needs.socketDirectory(connection),
          target: `${target.replace(/\/+$/, '')}/${connection}`,
        })),
      )
    case 'secret':
      return [
        {
          kind: 'files',
          target,
          files: await secretFiles(needs, type.value, mount.subPath, project, serviceAccountOf(template, project)),
        },
      ]
    case 'emptyDir':
      return [{ kind: 'memory', volume: `${instance.name}-${mount.name}`, target, sizeBytes: memorySize(instance, type.value.sizeLimit) }]
    default:
      throw new CloudError(
        volume === undefined ? 'INVALID_ARGUMENT' : 'UNIMPLEMENTED',
        volume === undefined
          ? `No volume is named "${mount.name}".`
          : `Volumes of the kind ${volume.volumeType.case ?? 'none'} are not emulated.`,
        'Use a secret, a Cloud SQL, a Cloud Storage volume, or one in memory.',
      )
  }
}

/** At most what all containers may use together: google.cloud.run.v2.EmptyDirVolumeSource.size_limit. */
function memorySize({ template }: InstanceSpec, sizeLimit: string): number {
  const all = template.containers.reduce((sum, container) => sum + limitsOf(container).memoryBytes, 0)
  return sizeLimit === '' ? all : Math.min(readBytes(sizeLimit), all)
}
