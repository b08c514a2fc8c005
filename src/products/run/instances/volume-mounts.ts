import { mkdir, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import type { GCSVolumeSource, VolumeMount } from '../../../api/gen/google/cloud/run/v2/k8s.min_pb.ts'
import { CloudError } from '../../../base/cloud-error.ts'
import type { Mount } from '../../../engine/engine.ts'
import { invalid } from '../invalid.ts'
import type { RunNeeds } from '../needs.ts'
import { limitsOf, readBytes } from './amounts.ts'
import { serviceAccountOf, type InstanceSpec } from './instance-spec.ts'
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
          source: await needs.socketDirectory(connection, serviceAccountOf(template, project)),
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
    case 'gcs':
      return [await bucketMount(needs, type.value, mount, serviceAccountOf(template, project))]
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

/**
 * A folder in step with the bucket. Of gcsfuse's options `only-dir` is honoured; those of caches and speed say nothing here.
 * @see https://cloud.google.com/run/docs/configuring/services/cloud-storage-volume-mounts
 */
async function bucketMount(
  needs: RunNeeds,
  { bucket, readOnly, mountOptions }: GCSVolumeSource,
  mount: VolumeMount,
  account: string,
): Promise<Mount> {
  const folder = await needs.bucketFolder(bucket, account, readOnly)
  const below = [
    mountOptions.map((option) => /^only-dir=(.+)$/.exec(option)?.[1]).find((found) => found !== undefined) ?? '',
    mount.subPath,
  ]
  const parts = below.flatMap((path) => path.split('/')).filter((part) => part !== '' && part !== '.')
  if (parts.includes('..')) throw invalid('only-dir must not contain "..".', 'Name a folder of the bucket.')
  const source = join(folder, ...parts)
  await mkdir(source, { recursive: true })
  // a link that an application made there would lead out of the folder
  if ((await realpath(source)) !== join(await realpath(folder), ...parts))
    throw invalid(`${parts.join('/')} of bucket ${bucket} is a link.`, 'Name a folder of the bucket.')
  return { kind: 'bind', source, target: mount.mountPath, readOnly }
}
