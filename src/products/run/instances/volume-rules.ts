import { EmptyDirVolumeSource_Medium, type Volume } from '../../../api/gen/google/cloud/run/v2/k8s.min_pb.ts'
import { CloudError } from '../../../base/cloud-error.ts'
import { invalid } from '../invalid.ts'
import type { InstanceTemplate } from './instance-spec.ts'
import { readBytes } from './amounts.ts'

/**
 * Whether these volumes can be mounted where the containers want them.
 * @param isFirstGeneration whether the execution environment is gen1, which has a /tmp of its own
 * @throws CloudError INVALID_ARGUMENT, and UNIMPLEMENTED for NFS
 */
export function checkVolumes({ containers, volumes }: Pick<InstanceTemplate, 'containers' | 'volumes'>, isFirstGeneration: boolean): void {
  for (const [index, volume] of volumes.entries()) checkVolume(volume, `template.volumes[${index}]`)
  const byName = new Map(volumes.map((volume) => [volume.name, volume]))
  const twice = volumes.find((volume) => byName.get(volume.name) !== volume)?.name
  if (twice !== undefined) throw invalid(`template.volumes: The name "${twice}" is given twice.`, 'Give each volume a name of its own.')
  for (const [index, { volumeMounts }] of containers.entries()) {
    const field = `template.containers[${index}].volume_mounts`
    for (const { name, mountPath, subPath } of volumeMounts) {
      const volume = byName.get(name)
      if (volume === undefined) throw invalid(`${field}: "${name}" is not a volume of the template.`, 'Name one under volumes.')
      checkPath(field, mountPath)
      if (isFirstGeneration && volume.volumeType.case === 'secret' && normal(mountPath) === '/tmp')
        throw invalid(`${field}: A secret cannot be mounted at /tmp in the first generation execution environment.`, 'Mount it below /tmp.')
      if (subPath !== '' && (subPath.startsWith('/') || subPath.split('/').includes('..')))
        throw invalid(`${field}: The sub_path "${subPath}" must be relative and must not contain "..".`, 'Name a folder of the volume.')
      if (subPath !== '' && volume.volumeType.case === 'emptyDir')
        throw new CloudError('UNIMPLEMENTED', 'A sub_path of a volume in memory is not emulated.', 'Mount the whole volume.')
    }
    checkNesting(
      field,
      volumeMounts.map(({ mountPath }) => normal(mountPath)),
    )
  }
}

function checkVolume({ name, volumeType }: Volume, field: string): void {
  if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name))
    throw invalid(
      `${field}.name: "${name}" must have 1 to 63 lower case letters, digits and hyphens, and no hyphen at its ends.`,
      'Choose such a name.',
    )
  if (volumeType.case === undefined) throw invalid(`${field}: has no source.`, 'Give it emptyDir, secret, cloudSqlInstance or gcs.')
  if (volumeType.case === 'nfs') throw new CloudError('UNIMPLEMENTED', 'NFS volumes are not emulated.', 'Use a Cloud Storage volume.')
  if (volumeType.case === 'emptyDir') {
    const { medium, sizeLimit } = volumeType.value
    if (medium !== EmptyDirVolumeSource_Medium.MEMORY && medium !== EmptyDirVolumeSource_Medium.MEDIUM_UNSPECIFIED)
      throw new CloudError('UNIMPLEMENTED', `${field}.empty_dir.medium: only MEMORY is emulated.`, 'Use MEMORY.')
    if (sizeLimit !== '') readBytes(sizeLimit)
  }
  if (volumeType.case === 'secret' && volumeType.value.secret === '')
    throw invalid(`${field}.secret.secret: must not be empty.`, 'Name a secret.')
  if (volumeType.case === 'gcs' && volumeType.value.bucket === '')
    throw invalid(`${field}.gcs.bucket: must not be empty.`, 'Name a bucket.')
}

/** `Must not contain ':'` is the proto's. */
function checkPath(field: string, path: string): void {
  if (path.startsWith('/') && !path.includes(':') && !path.split('/').includes('..') && normal(path) !== '/') return
  throw invalid(`${field}: The mount_path "${path}" must be an absolute path without ":" and "..", and not the root.`, 'Write /data.')
}

/** In this order a path is followed at once by what is below it. */
function checkNesting(field: string, paths: readonly string[]): void {
  const ordered = paths.map((path) => `${path}/`).toSorted()
  for (const [index, path] of ordered.entries()) {
    const next = ordered[index + 1]
    if (next?.startsWith(path) !== true) continue
    const [outer, inner] = [path.slice(0, -1), next.slice(0, -1)]
    throw invalid(`${field}: The mounts at ${outer} and ${inner} are nested.`, 'Mount each at a path of its own.')
  }
}

function normal(path: string): string {
  return `/${path.split('/').filter(Boolean).join('/')}`
}
